"""A stand-in for an Unleash server that can do what a real one does only in trouble; and whoever is told of it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from flags.store import StoredState
from flags.unleash.following import Following, UnleashFlags
from flags.unleash.server import Failure, UnleashServer
from gateway.times import now_us

TOKEN = "default:development.a-token-of-the-tests"


def feature(name: str, *, enabled: bool = True, **others: object) -> dict[str, Any]:
    """A flag that is on or off for everybody."""
    return {"name": name, "enabled": enabled, "strategies": [{"name": "default"}]} | others


class FakeUnleash:
    """What it answers is what it was told to."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_address[1]
        self.status = 200
        self.body = b""
        self.taking = 202
        """The status for registrations and for usage."""
        self.hanging = threading.Event()
        self.hanging.set()
        self.asked: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.say()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def say(self, *features: dict[str, Any], revision: int = 1) -> None:
        """Have these flags from now on."""
        meta = {"revisionId": revision}
        self.status, self.etag = 200, f'"{revision}"'
        self.body = msgspec.json.encode({"version": 2, "features": features, "segments": [], "meta": meta})

    def hang(self) -> None:
        """Take requests from now on and answer none."""
        self.hanging.clear()

    def go_on(self) -> None:
        """Answer again, those who still wait first."""
        self.hanging.set()

    def at(self, *, refresh_s: int = 1, usage_s: int = 0) -> UnleashServer:
        """How it is followed."""
        return UnleashServer(url=self.url, token=TOKEN, instance="tests", refresh_s=refresh_s, usage_s=usage_s)


@contextmanager
def fake_unleash() -> Iterator[FakeUnleash]:
    """A server on a free port; it is gone at the end."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            fake.asked.append(self.headers.get("If-None-Match", ""))
            if not fake.hanging.wait(30):
                return
            same = fake.status == 200 and self.headers.get("If-None-Match") == fake.etag
            self._answer(304 if same else fake.status, b"" if same else fake.body)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("/client/metrics"):
                fake.told.append(msgspec.json.decode(content))
            self._answer(fake.taking, b"")

        def _answer(self, status: int, body: bytes) -> None:
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("ETag", fake.etag)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeUnleash(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            fake.go_on()
            server.shutdown()
            thread.join()


class Notebook:
    """A keeper that only notes what it is told."""

    def __init__(self) -> None:
        self.states: list[StoredState] = []
        self.known: list[int] = []
        self.failures: list[Failure] = []
        self.reports: list[bool] = []

    async def fetched(self, state: StoredState, known_us: int) -> None:
        """Note a state."""
        self.states.append(state)

    def confirmed(self, known_us: int) -> None:
        """Note a moment."""
        self.known.append(known_us)

    def failed(self, failure: Failure) -> None:
        """Note a failure."""
        self.failures.append(failure)

    def told(self, *, well: bool) -> None:
        """Note a report."""
        self.reports.append(well)


@asynccontextmanager
async def following(server: UnleashServer, notes: Notebook) -> AsyncIterator[UnleashFlags]:
    """The flags of a server, followed until the block ends."""
    flags = UnleashFlags(server.environment, now_us)
    task = asyncio.create_task(Following(server, flags, notes, now_us).run())
    try:
        yield flags
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object], what: str) -> None:
    """Return once the condition holds."""
    try:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110  servers in other processes ring no event
                await asyncio.sleep(0.01)
    except TimeoutError:
        message = f"waited in vain for {what}"
        raise TimeoutError(message) from None
