"""Hostile callers, over HTTP and gRPC: whatever they send is refused in words, costs nothing, and is in no log."""

import asyncio
import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import grpc
import psutil
import pytest

from tests.acceptance.cards import card, request, sure
from tests.acceptance.rpc import Rpc, refused
from tests.acceptance.scene import PASSWORD, Scene, staged
from tests.models import sticking
from tests.servers.process import until

INFER = "/v2/models/grades/infer"
LIMIT = 100_000
BODY_S = 1.0
CONNECTIONS = 640
OVER_GRPC = CONNECTIONS // 10
MIB = 1 << 20
SERVICE = "/inference.GRPCInferenceService"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with small limits."""
    limits = {"body_max_bytes": LIMIT, "api_body_max_bytes": LIMIT, "body_s": BODY_S, "connections_max": CONNECTIONS}
    with staged(tmp_path_factory.mktemp("guarded"), **limits) as scene:
        yield scene


@pytest.fixture(scope="module")
def rpc(guarded: Scene) -> Iterator[Rpc]:
    """A connection to it over gRPC."""
    connection = Rpc(f"127.0.0.1:{guarded.server.grpc_port}")
    yield connection
    connection.close()


async def test_too_many_at_once_are_refused_early(guarded: Scene) -> None:
    """Beyond the line before a model the answer is 503 with a time to come again; who stands in line is answered."""
    guarded.add("slow", sticking(-1e4), card() + "[batching]\nmax_waiting = 1\n")
    guarded.switch("slow", on=True)
    guarded.until_automated("slow")
    async with guarded.calling() as caller:
        answers = await asyncio.gather(*(caller.ask("slow", request(sure())) for _ in range(30)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert all("Too many requests for model 'slow' wait" in answer.json()["error"] for answer in refused)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (LIMIT + 1), {}, 400),
        (b'{"inputs":' + b"[" * 40_000, {}, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {}, 400),
        (b"\xff\xfe\x00", {}, 400),
        (b"", {}, 400),
        (b"null", {}, 400),
        (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br, gzip"}, 415),
        (json.dumps(request([1e39, 0, 0, 0])).encode(), {}, 400),
        (b'{"inputs":[{"name":"x","shape":[9223372036854775807,4],"datatype":"FP32","data":[]}]}', {}, 400),
        (b'{"inputs":[{"name":"x","shape":[-1,4],"datatype":"FP32","data":[1,2,3,4]}]}', {}, 400),
    ],
    ids=["large", "deep list", "deep", "bytes", "empty", "null", "bomb", "encodings", "infinite", "overflow", "minus"],
)
def test_a_hostile_body_is_refused_in_words(guarded: Scene, body: bytes, headers: dict[str, str], status: int) -> None:
    """Too large, too deep, packed or not JSON: an error of the catalogue, and the next request is answered."""
    with guarded.server.client(guarded.caller) as caller:
        refused = caller.post(INFER, content=body, headers=headers)
        assert (refused.status_code, refused.headers["Content-Type"]) == (status, "application/json")
        assert "Traceback" not in refused.text
        assert caller.get("/v2/models/grades").is_success


def test_a_body_without_a_length_is_bounded_too(guarded: Scene) -> None:
    """A body that comes in pieces and states no length is refused as soon as it is too large."""
    with guarded.server.client(guarded.caller) as caller:
        refused = caller.post(INFER, content=(b" " * 10_000 for _ in range(20)))
        assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (400, "body-too-large")


@pytest.mark.parametrize("path", [INFER, "/api/v1/keys", "/v2/repository/index", "/v2/models/grades/outcomes"])
def test_a_slow_body_is_cut_off(guarded: Scene, path: str) -> None:
    """Whoever sends a body drop by drop is told 408, and the connection ends."""
    key = guarded.caller if path.startswith("/v2") else guarded.server.key
    with socket.create_connection(("127.0.0.1", guarded.server.port), timeout=10) as slow:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        slow.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        began = time.monotonic()
        answer = HTTPResponse(slow)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["type"].rpartition("#")[2]) == (408, "body-too-slow")
        assert slow.recv(1) == b""
        assert BODY_S * 0.9 < time.monotonic() - began < 5


def test_slow_headers_are_cut_off(guarded: Scene) -> None:
    """Whoever never finishes the headers is told 408, whoever says nothing is told nothing; both connections end."""
    address = ("127.0.0.1", guarded.server.port)
    with socket.create_connection(address, timeout=10) as slow, socket.create_connection(address, timeout=10) as silent:
        slow.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        with slow.makefile("rb") as told:
            assert told.read().startswith(b"HTTP/1.1 408")
        assert silent.recv(1) == b""


def test_a_quiet_connection_is_kept_between_requests(guarded: Scene) -> None:
    """A client that has been answered may rest for longer than headers may take, and then ask again."""
    address = ("127.0.0.1", guarded.server.port)
    with socket.create_connection(address, timeout=10) as kept:
        for _ in range(2):
            kept.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = HTTPResponse(kept)
            answer.begin()
            assert (answer.status, bool(answer.read())) == (200, True)
            with socket.create_connection(address, timeout=10) as silent:  # is cut off, so time has passed
                assert silent.recv(1) == b""


@pytest.mark.parametrize("flood", [b"X-Again: yes\r\n" * 1000, b"X-Long: " + b"y" * 10_000], ids=["many", "long"])
def test_a_flood_of_headers_is_refused(guarded: Scene, flood: bytes) -> None:
    """Headers that do not end are refused with 400 at 64 KiB, and others are served on."""
    with socket.create_connection(("127.0.0.1", guarded.server.port), timeout=10) as raw:
        raw.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 10_000_000:
                raw.sendall(flood)
                sent += len(flood)
        assert sent < 10_000_000
    with guarded.server.client(guarded.caller) as caller:
        assert caller.get("/v2/models/grades").is_success


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/../v2/models/grades",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/console/static/x/..%2f..%2f..%2fpyproject.toml",
        "/console/static/x/%2e%2e/%2e%2e/app.py",
        "//example.org/api/v1/me",
        "http://example.org/api/v1/me",
        "/api/v1/me%00",
        "/v2/models/../../api/v1/people",
        "/v2/models/..%2f..%2fapi/infer",
        "/\\example.org",
        "/api/v1/\xff",
    ],
)
def test_tricks_with_paths_reach_nothing(guarded: Scene, target: str) -> None:
    """Dots, slashes, hosts and bytes in a path lead to 400, 401 or 404, never to a file, another server or a fault."""
    with socket.create_connection(("127.0.0.1", guarded.server.port), timeout=10) as raw:
        raw.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = HTTPResponse(raw)
        answer.begin()
        assert answer.status in (400, 401, 404), answer.read()


def test_what_a_caller_says_of_forwarding_is_not_believed(guarded: Scene) -> None:
    """Spoofed forwarding headers change neither a link nor who somebody is."""
    spoofed = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.example", "Host": "evil.example"}
    with guarded.server.client() as admin:
        link = admin.post("/api/v1/people/invitations", json={"roles": []}, headers=spoofed).json()["url"]
        assert link.startswith(guarded.server.url)
        moved = admin.get("/console", headers=spoofed, follow_redirects=False)
        assert "evil.example" not in moved.headers.get("location", "")


def test_another_sites_page_can_do_nothing_in_ones_name(guarded: Scene) -> None:
    """With a session alone, without its token or from another origin, nothing is carried out."""
    guarded.make_person("Olga Operator", "olga@example.org", "operator")
    change = {"on": True, "why": "forged"}
    path = "/api/v1/flags/grades.automated/switch"
    with guarded.server.client("") as browser:
        here = {"Origin": guarded.server.url}
        signed_in = browser.post("/api/v1/session", json={"email": "olga@example.org", "password": PASSWORD})
        assert signed_in.status_code == 204, signed_in.text
        cookie = signed_in.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        token = browser.get("/api/v1/me").json()["csrf"]
        forged = [
            browser.put(path, json=change),
            browser.put(path, json=change, headers=here),
            browser.put(path, json=change, headers=here | {"X-CSRF-Token": "guessed"}),
            browser.put(path, json=change, headers={"Origin": "https://evil.example", "X-CSRF-Token": token}),
            browser.put(path, json=change, headers={"Origin": "null", "X-CSRF-Token": token}),
            browser.post("/console/sign-out", headers={"Origin": "https://evil.example"}),
        ]
        assert [answer.status_code for answer in forged] == [403] * len(forged)
        assert browser.put(path, json=change, headers=here | {"X-CSRF-Token": token}).is_success


def ends_unsent(guarded: Scene, rpc: Rpc, method: str, key: str = "") -> tuple[str, str, str]:
    """How a call ends whose message never comes."""
    never = threading.Event()

    def message() -> Iterator[bytes]:
        never.wait(60)
        yield b""

    metadata = [("authorization", f"Bearer {key}")] if key else []
    call = rpc.channel.stream_unary(method).future(message(), metadata=metadata, timeout=60)
    try:
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        return refused(caught.value)
    finally:
        never.set()


@pytest.mark.parametrize(
    "method",
    [f"{SERVICE}/ModelInfer", f"{SERVICE}/ModelMetadata", f"{SERVICE}/ServerLive", "/grpc.health.v1.Health/Check"],
)
def test_a_slow_message_is_cut_off(guarded: Scene, rpc: Rpc, method: str) -> None:
    """A call whose message does not come within the time for a body ends with DEADLINE_EXCEEDED."""
    assert ends_unsent(guarded, rpc, method, guarded.caller)[:2] == ("DEADLINE_EXCEEDED", "body-too-slow")
    assert is_live(rpc)


def test_no_message_is_waited_for_without_a_key(guarded: Scene, rpc: Rpc) -> None:
    """Who has no key is told so before a byte of its tensors is read."""
    assert ends_unsent(guarded, rpc, f"{SERVICE}/ModelInfer")[:2] == ("UNAUTHENTICATED", "unauthenticated")


@pytest.mark.parametrize("packing", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_packed_message_takes_no_more_memory_than_one_may(
    guarded: Scene, rpc: Rpc, packing: grpc.Compression
) -> None:
    """A few bytes that hold a hundred megabytes are refused before they are there."""
    before = peak(guarded)
    metadata = [("authorization", f"Bearer {guarded.caller}")]
    with pytest.raises(grpc.RpcError) as caught:
        rpc.channel.unary_unary(f"{SERVICE}/ModelInfer")(
            bytes(100 * MIB), metadata=metadata, timeout=60, compression=packing
        )
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert peak(guarded) - before < 50 * MIB


def test_a_crowd_that_says_nothing_keeps_nobody_out_for_long(guarded: Scene, rpc: Rpc) -> None:
    """No more connect than may, who does not speak HTTP/2 is cut off, and then another is answered."""
    process = gateway(guarded)
    before = process.num_fds()
    address = ("127.0.0.1", guarded.server.grpc_port)
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(4 * OVER_GRPC)]
        assert is_live(rpc)  # on its own connection, as before
        assert process.num_fds() - before <= OVER_GRPC
        for each in silent:
            while each.recv(1000):
                pass
    another = Rpc(f"127.0.0.1:{guarded.server.grpc_port}")
    until(lambda: is_live(another), "another connection is answered")
    another.close()


def gateway(scene: Scene) -> psutil.Process:
    """The process that callers are connected to."""
    return psutil.Process(scene.server.processes()["gateway-1"])


def peak(scene: Scene) -> int:
    """The most memory that it ever had, in bytes; where the system does not tell, what it has."""
    status = Path(f"/proc/{gateway(scene).pid}/status")
    if not status.exists():
        return int(gateway(scene).memory_info().rss)
    [kib] = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(kib) * 1024


def is_live(rpc: Rpc) -> bool:
    """Whether the server says so."""
    try:
        return bool(rpc.call("ServerLive", b"", timeout=5).live)
    except grpc.RpcError:
        return False


def test_no_key_password_or_payload_is_in_the_log(guarded: Scene) -> None:
    """After all of this the log holds events, and nothing that was secret."""
    secret = "a-sentence-that-nobody-else-may-read"
    with guarded.server.client(guarded.caller) as caller:
        caller.post(INFER, json=request(sure(), id=secret, parameters={"note": secret}), headers={"Prefer": "wait=0"})
        caller.post(INFER, content=f'{{"inputs": "{secret}"}}')
        caller.post(INFER, json={"inputs": [{"name": secret, "shape": [1], "datatype": "FP32", "data": [1]}]})
        caller.get("/api/v1/me", params={"token": guarded.caller})
        caller.get(f"/api/v1/people/{secret}")
    log = Path(guarded.server.process.log).read_text()
    assert '"event": "request"' in log
    assert "Traceback" not in log
    for private in (secret, PASSWORD, guarded.caller, guarded.reviewer, guarded.server.key, "lg_"):
        assert private not in log
