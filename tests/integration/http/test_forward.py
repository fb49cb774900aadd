"""What the gateway passes on to the console process stays with the one who asked."""

from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from gateway.http.forward import Forward


class Echo(BaseHTTPRequestHandler):
    """Gives everybody a cookie, and says which one they sent."""

    def do_GET(self) -> None:
        """Answer."""
        said = self.headers.get("cookie", "none").encode()
        self.send_response(200)
        self.send_header("set-cookie", "lockgate_session=somebody; Path=/")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture
async def through_gateway() -> AsyncIterator[httpx.ASGITransport]:
    """The gateway's way to a console that echoes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as console:
        thread = Thread(target=console.serve_forever, daemon=True)
        thread.start()
        forward = Forward(f"http://127.0.0.1:{console.server_port}", part_s=5.0)
        yield httpx.ASGITransport(app=forward)
        await forward.close()
        console.shutdown()
        thread.join()


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
