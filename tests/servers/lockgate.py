"""A whole Lockgate of the test's own, known only from outside: its command, its ports and its processes."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.servers.process import Process, accepts, free_port, until

ADMIN = {"name": "Ada Admin", "email": "ada@example.org", "password": "a long pass phrase of the tests"}
CHILD = "lockgate.processes"
READY_S = 60.0
KEPT_OUT = ("LOCKGATE_", "PYTHONDONTWRITEBYTECODE")
"""What servers and commands do not get: settings, and what would have each of them compile all modules anew."""
ELSEWHERE = frozenset({"data_directory", "database_url"})
"""Settings of a server whose ledger is not the embedded one in its folder."""
# Certificates are read once: reading them takes longer than most requests, and no server of the tests has one.
TLS = ssl.create_default_context()


class Lockgate:
    """`lockgate serve` on free ports with its data in one folder; any setting can be given by its name."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.port = free_port()
        self.grpc_port = free_port()
        self.monitor_port = free_port()
        self.settings: dict[str, object] = {
            "data_directory": folder / "data",
            "http_address": f"127.0.0.1:{self.port}",
            "grpc_address": f"127.0.0.1:{self.grpc_port}",
            "metrics_address": f"127.0.0.1:{self.monitor_port}",
            "log_format": "json",
        } | settings
        self.key = ""
        self.process = Process(
            [sys.executable, "-m", "lockgate", "serve"],
            folder / "lockgate.log",
            environment=self.environment,
            folder=folder,
            ending=signal.SIGTERM,
        )

    @property
    def url(self) -> str:
        """Where callers, people and commands go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        """Where metrics and health are."""
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server and of commands: nothing of whoever runs the tests."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
        settings = {f"LOCKGATE_{name.upper()}": str(value) for name, value in self.settings.items()}
        return ours | settings | {"XDG_CONFIG_HOME": str(self.folder / "config"), "NO_COLOR": "1"}

    def start(self) -> None:
        """Start everything and return when requests can be sent."""
        self.process.start()
        self.process.wait_until(self.ready, "Lockgate is ready", READY_S)

    def ready(self) -> bool:
        """Whether it says that requests can be sent."""
        if not accepts(self.monitor_port):
            return False
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.monitor_url}/health/ready", timeout=5, verify=TLS).status_code == httpx.codes.OK
        return False

    def whole(self) -> bool:
        """Whether each of its processes is ready, the console included."""
        with contextlib.suppress(httpx.HTTPError):
            health = httpx.get(f"{self.monitor_url}/health", timeout=5, verify=TLS).json()
            return all(process["ready"] for process in health["processes"])
        return False

    def stop(self) -> int:
        """End it as an operator does; its exit status."""
        return self.process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End the supervisor as a crash does; its processes end with it."""
        family = list(self.processes().values())
        self.process.kill()
        until(lambda: not any(map(psutil.pid_exists, family)), "the end of its processes")

    def processes(self) -> dict[str, int]:
        """The number of each supervised process by its name, such as `gateway-1` and `console`."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                words = child.cmdline()
                if CHILD in words:
                    found[words[-1]] = child.pid
        return found

    def kill_process(self, name: str) -> None:
        """End one supervised process as a crash does."""
        os.kill(self.processes()[name], signal.SIGKILL)

    def run(self, *words: object, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of `lockgate` against this server, with the admin's key once there is one."""
        client = {"LOCKGATE_URL": self.url, **({"LOCKGATE_TOKEN": self.key} if self.key else {})}
        done = subprocess.run(
            [sys.executable, "-m", "lockgate", *map(str, words)],
            env=self.environment | client,
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, f"lockgate {' '.join(map(str, words))}: {done.stdout}{done.stderr}"
        return done

    def json(self, *words: object) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.run(*words, "--json").stdout)

    def join(self, link: str, **person: str) -> str:
        """Follow an invitation link as a new person; their key for the command line."""
        token = link.rstrip("/").rsplit("/", 1)[-1]
        body = {"token": token, "key_name": "tests", **person}
        answer = httpx.post(f"{self.url}/api/v1/join", json=body, timeout=30, verify=TLS)
        assert answer.is_success, answer.text
        key: str = answer.json()["key"]["key"]
        return key

    def make_admin(self) -> str:
        """Make the first admin, an operator too, whose key `run` and `client` then use."""
        printed = self.run("people", "link", "admin", "--print").stdout
        link = next(word for word in printed.split() if word.startswith("http"))
        self.key = self.join(link, **ADMIN)
        self.run("people", "grant", ADMIN["email"], "operator")
        return self.key

    def client(self, key: str | None = None) -> httpx.Client:
        """An HTTP client with a key: the admin's unless another is given, none for an empty one."""
        chosen = self.key if key is None else key
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=70, trust_env=False, verify=TLS)


@cache
def founded() -> tuple[Path, str]:
    """The data of a Lockgate with a first admin and nothing else, and the admin's key; made once by each test process.

    A first start has migrations, an invitation and a joining before it, which every server would pay for anew.
    """
    folder = Path(tempfile.mkdtemp(prefix="lockgate-founded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = Lockgate(folder)
    server.start()
    try:
        return folder / "data", server.make_admin()
    finally:
        server.stop()


@contextlib.contextmanager
def running_lockgate(folder: Path, **settings: object) -> Iterator[Lockgate]:
    """A started Lockgate with a first admin; it is gone at the end, its data is not."""
    server = Lockgate(folder, **settings)
    data = folder / "data"
    if not data.exists() and ELSEWHERE.isdisjoint(settings):
        source, server.key = founded()
        data.mkdir(parents=True)
        for file in (*source.glob("ledger.db*"), source / "internal.key"):
            shutil.copy(file, data)
    server.start()
    try:
        if not server.key:
            server.make_admin()
        server.process.wait_until(server.whole, "the console is ready", READY_S)
        yield server
    finally:
        server.stop()
