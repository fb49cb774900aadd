"""`lockgate gateway`, `console` and `worker` as processes of their own, on PostgreSQL and Redis."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.acceptance.scene import Scene
from tests.servers.lockgate import TLS, Lockgate
from tests.servers.process import Process, accepts, free_port

KINDS = ("console", "worker", "gateway")


class Apart(Lockgate):
    """A Lockgate whose processes are started one by one, as on several machines."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, console_address=f"127.0.0.1:{free_port()}", **settings)
        self.monitors = {kind: free_port() for kind in KINDS}
        self.parts = {kind: self._part(kind) for kind in KINDS}

    def _part(self, kind: str) -> Process:
        own = {"LOCKGATE_METRICS_ADDRESS": f"127.0.0.1:{self.monitors[kind]}"}
        command = [sys.executable, "-m", "lockgate", kind]
        log, environment = self.folder / f"{kind}.log", self.environment | own
        return Process(command, log, environment=environment, folder=self.folder, ending=signal.SIGTERM)

    def start(self) -> None:
        """Migrate the ledger and start every process."""
        self.run("migrate")
        for kind in KINDS:
            self.begin(kind)

    def begin(self, kind: str) -> None:
        """Start one process and return when it is ready."""
        self.parts[kind].start()
        self.parts[kind].wait_until(lambda: self._says_ready(kind), f"the {kind} is ready", 60)

    def up(self, kind: str, dependency: str) -> bool:
        """Whether a process says that something it depends on is there."""
        (told,) = httpx.get(f"http://127.0.0.1:{self.monitors[kind]}/health", timeout=10, verify=TLS).json()[
            "processes"
        ]
        states = {one["name"]: one["state"] for one in told["dependencies"]}
        return bool(states[dependency] == "up")

    def stop(self) -> int:
        """End every process; the worst exit status."""
        return max(abs(part.stop()) for part in reversed(self.parts.values()))

    def _says_ready(self, kind: str) -> bool:
        if not accepts(self.monitors[kind]):
            return False
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.monitors[kind]}/health/ready", timeout=5, verify=TLS).is_success
        return False


@contextlib.contextmanager
def staged_apart(folder: Path, **settings: object) -> Iterator[Scene]:
    """A scene on processes apart."""
    server = Apart(folder, **settings)
    try:
        server.start()
        server.make_admin()
        with contextlib.closing(Scene(server)) as scene:
            yield scene
    finally:
        server.stop()
