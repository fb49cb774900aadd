"""What the gateway passes on to the console process stays with the one who asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from gateway.http.asgi import Message
from gateway.http.forward import Forward


class Echo(BaseHTTPRequestHandler):
    """Gives everybody a cookie, and says which one they sent."""

    def do_GET(self) -> None:
        """Answer; `/stream` goes on until nobody reads any more."""
        if self.path == "/stream":
            self.stream()
            return
        said = self.headers.get("cookie", "none").encode()
        self.send_response(200)
        self.send_header("set-cookie", "lockgate_session=somebody; Path=/")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def stream(self) -> None:
        """One event after the other, for as long as they are taken."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.end_headers()
        with suppress(ConnectionError):
            while True:
                self.wfile.write(b"data: {}\n\n")
                time.sleep(0.01)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture
async def forward() -> AsyncIterator[Forward]:
    """The gateway's way to a console that echoes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as console:
        thread = Thread(target=console.serve_forever, daemon=True)
        thread.start()
        forward = Forward(f"http://127.0.0.1:{console.server_port}", part_s=5.0)
        yield forward
        await forward.close()
        console.shutdown()
        thread.join()


@pytest.fixture
def through_gateway(forward: Forward) -> httpx.ASGITransport:
    """The same, to be asked as a client asks."""
    return httpx.ASGITransport(app=forward)


@pytest.mark.parametrize("end", ["the reader leaves", "the gateway ends"])
async def test_a_stream_ends_with_its_reader_and_with_the_gateway(forward: Forward, end: str) -> None:
    """It has no end of its own: nobody may keep a connection to the console, or the process, by leaving it open."""
    left, sent = asyncio.Event(), []

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body"):
            left.set() if end == "the reader leaves" else forward.end_streams()

    scope = {"type": "http", "method": "GET", "path": "/stream", "raw_path": b"/stream", "query_string": b"",
             "headers": []}  # fmt: skip
    async with asyncio.timeout(60):
        await forward(scope, receive, send)
    assert sent[1]["body"].startswith(b"data: {}")
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_cookie_that_one_caller_is_given_is_never_sent_for_another(
    through_gateway: httpx.ASGITransport,
) -> None:
    """Somebody signs in; whoever asks next without a cookie is nobody, and one's own cookie still passes."""
    async with httpx.AsyncClient(transport=through_gateway, base_url="http://gateway") as somebody:
        assert (await somebody.get("/console")).headers["set-cookie"].startswith("lockgate_session=")
        assert (await somebody.get("/console")).text == "lockgate_session=somebody"
    async with httpx.AsyncClient(transport=through_gateway, base_url="http://gateway") as anybody:
        assert (await anybody.get("/console")).text == "none"


async def test_an_answer_keeps_one_date_and_the_bare_address_leads_to_the_console(
    through_gateway: httpx.ASGITransport,
) -> None:
    """The console's own date is left to the server in front, and `/` is a way in."""
    async with httpx.AsyncClient(transport=through_gateway, base_url="http://gateway") as anybody:
        assert "date" not in (await anybody.get("/console")).headers
        home = await anybody.get("/")
    assert (home.status_code, home.headers["location"]) == (307, "/console")
