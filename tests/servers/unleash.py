"""A real Unleash server on a PostgreSQL database, and the few calls of its Admin API that tests make."""

import contextlib
import ssl
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.servers.environments import ROOT
from tests.servers.node import node, node_modules
from tests.servers.postgres import Postgres
from tests.servers.process import Process, accepts, free_port, until

NEWEST, OLDEST = "8.2.0", "6.10.1"
ENVIRONMENT = "development"
ADMIN_TOKEN = "*:*.an-admin-token-of-the-tests"
CLIENT_TOKEN = f"default:{ENVIRONMENT}.a-client-token-of-the-tests"
READY_S = 120.0
ENDED_S = 10.0
# Certificates are read once: no server of the tests has one, and reading them takes longer than a call.
_PLAIN: dict[str, Any] = {"timeout": 30, "trust_env": False, "verify": ssl.create_default_context()}


class EndedByItself(UserWarning):
    """A server of the tests was gone although no test had ended it; the text has its exit status and last words."""


class Unleash:
    """One Unleash server on a database that outlives its process: to stop, kill, pause and start again."""

    def __init__(self, folder: Path, database_url: str, version: str = NEWEST) -> None:
        self.version = version
        self.port = free_port()
        modules = node_modules(ROOT / "tests" / "unleash-server" / version, f"unleash-server-{version}")
        self._process = Process(
            [node(), modules / "unleash-server" / "dist" / "server.js"],
            folder / "unleash.log",
            environment=_environment(self.port, database_url),
            folder=folder,
        )
        self.admin = UnleashAdmin(self.url)

    @property
    def url(self) -> str:
        """Where people look at it; its clients add `/api`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What a client is given as the server's address."""
        return f"{self.url}/api"

    @property
    def running(self) -> bool:
        return self._process.running

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers; the first time it makes its tables."""
        self._process.start()
        self._process.wait_until(self._healthy, "Unleash answers", READY_S)

    def _healthy(self) -> bool:
        if not accepts(self.port):
            return False
        with contextlib.suppress(httpx.HTTPError, ValueError):
            return bool(httpx.get(f"{self.url}/health", timeout=5).json().get("health") == "GOOD")
        return False

    def stop(self) -> None:
        """Stop the server as an administrator does; what it keeps in its database stays."""
        self._process.stop()

    def kill(self) -> None:
        """End the server as a crash does."""
        self._process.kill()

    def pause(self) -> None:
        """Freeze the server: it accepts connections and never answers."""
        self._process.pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._process.resume()

    def renew(self) -> None:
        """Be as on the first day, whatever a test did: running, without flags and segments.

        One that ends by itself is started again, once, and said so: it is not what is tested here.
        """
        if self._process.running:
            self._process.resume()
        else:
            self.start()
        try:
            self.admin.clear()
        except httpx.TransportError:
            self._start_again()
            self.admin.clear()
        until(lambda: not self.flags(), "a server that shows its clients no flags")

    def _start_again(self) -> None:
        until(lambda: not self._process.running, "the end of a server that broke a connection", ENDED_S)
        warnings.warn(
            f"Unleash {self.version} ended with {self._process.stop()}: {self._process.tail()}",
            EndedByItself,
            stacklevel=3,
        )
        self.start()

    def flags(self) -> set[str]:
        """The names of the flags that a client is sent; a change shows within a second."""
        headers = {"Authorization": CLIENT_TOKEN}
        answer = httpx.get(f"{self.api_url}/client/features", headers=headers, **_PLAIN)
        return {feature["name"] for feature in answer.raise_for_status().json()["features"]}


class UnleashAdmin:
    """The Admin API of a server, in its default project and the environment of the client's token."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/admin"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The parsed answer of one call, None where it has no body; anything but a success fails the test."""
        headers = {"Authorization": ADMIN_TOKEN}
        answer = httpx.request(method, self._url + path, json=body, headers=headers, **_PLAIN)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create(self, flag: str, *, kind: str = "release", description: str = "") -> None:
        """Create a flag, off and without a strategy."""
        body = {"name": flag, "type": kind, "description": description}
        self.call("POST", "/projects/default/features", body)

    def strategy(
        self,
        flag: str,
        *,
        rollout: int = 100,
        stickiness: str = "default",
        constraints: Sequence[Mapping[str, object]] = (),
        segments: Sequence[int] = (),
        variants: Sequence[Mapping[str, object]] = (),
        name: str = "flexibleRollout",
        parameters: Mapping[str, str] | None = None,
    ) -> str:
        """Add a strategy to a flag, a gradual rollout unless named otherwise; its id."""
        rolled = {"rollout": str(rollout), "stickiness": stickiness, "groupId": flag}
        body = {
            "name": name,
            "parameters": rolled if parameters is None else parameters,
            "constraints": constraints,
            "segments": segments,
            "variants": variants,
        }
        return str(self.call("POST", f"{self._of(flag)}/strategies", body)["id"])

    def replace_strategy(self, flag: str, strategy: str, *operations: Mapping[str, object]) -> None:
        """Change a strategy by JSON patch, such as `{"op": "replace", "path": "/parameters/rollout", "value": "0"}`."""
        self.call("PATCH", f"{self._of(flag)}/strategies/{strategy}", operations)

    def on(self, flag: str) -> None:
        """Switch a flag on."""
        self.call("POST", f"{self._of(flag)}/on")

    def off(self, flag: str) -> None:
        """Switch a flag off."""
        self.call("POST", f"{self._of(flag)}/off")

    def segment(self, name: str, constraints: Sequence[Mapping[str, object]]) -> int:
        """Create a segment; its id."""
        return int(self.call("POST", "/segments", {"name": name, "constraints": constraints})["id"])

    def field(self, name: str) -> None:
        """Make a context field known, as servers before 8 require before a constraint names it."""
        if all(known["name"] != name for known in self.call("GET", "/context")):
            self.call("POST", "/context", {"name": name})

    def depends(self, flag: str, parent: str, *, enabled: bool = True) -> None:
        """Make a flag ask another one first."""
        self.call("POST", f"/projects/default/features/{flag}/dependencies", {"feature": parent, "enabled": enabled})

    def archive(self, *flags: str) -> None:
        """Put flags away; clients no longer see them."""
        self.call("POST", "/projects/default/archive", {"features": flags})

    def delete(self, *flags: str) -> None:
        """Delete flags that were put away."""
        self.call("POST", "/projects/default/delete", {"features": flags})

    def clear(self) -> None:
        """Remove every flag that was not put away, and every segment."""
        flags = [feature["name"] for feature in self.call("GET", "/projects/default/features")["features"]]
        if flags:
            self.archive(*flags)
            self.delete(*flags)
        for segment in self.call("GET", "/segments")["segments"]:
            self.call("DELETE", f"/segments/{segment['id']}")

    def events(self, flag: str) -> list[dict[str, Any]]:
        """What happened to a flag, the latest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/events/{flag}")["events"]
        return found

    def usage(self, flag: str) -> list[dict[str, Any]]:
        """How often each application saw a flag on and off, by hour, with the variants that it served."""
        found: list[dict[str, Any]] = self.call("GET", f"/client-metrics/features/{flag}/raw")["data"]
        return found

    def applications(self) -> list[str]:
        """The names of the applications that registered."""
        answer = self.call("GET", "/metrics/applications")
        return [application["appName"] for application in answer["applications"]]

    def _of(self, flag: str) -> str:
        return f"/projects/default/features/{flag}/environments/{ENVIRONMENT}"


@contextlib.contextmanager
def running_unleash(postgres: Postgres, version: str = NEWEST) -> Iterator[Unleash]:
    """A started server on a fresh database; both are gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="lockgate-unleash-", ignore_cleanup_errors=True) as folder,
        postgres.database() as database_url,
    ):
        server = Unleash(Path(folder), database_url, version)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _environment(port: int, database_url: str) -> dict[str, str]:
    tokens = "INIT_CLIENT_API_TOKENS", "INIT_BACKEND_API_TOKENS"
    return {
        "DATABASE_URL": database_url.replace("postgresql+asyncpg://", "postgres://"),
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "LOG_LEVEL": "warn",
        "NODE_ENV": "production",
        "TZ": "UTC",
        "UNLEASH_SECRET": "a secret of the tests",
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "INIT_ADMIN_API_TOKENS": ADMIN_TOKEN,
        # Servers before 8 know backend tokens by the first name.
        **dict.fromkeys(tokens, CLIENT_TOKEN),
    }
