"""Requests as bytes, for what no client library would send."""

import json
import socket
from collections.abc import Sequence
from http.client import HTTPResponse

LENGTH = "Inference-Header-Content-Length"


def told(port: int, request: bytes) -> tuple[int, str, bool]:
    """Status and error code of the answer to these bytes, and whether the connection ends behind it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(request)
        answer = HTTPResponse(raw)
        answer.begin()
        body = answer.read()
        code = json.loads(body)["type"].rpartition("#")[2] if answer.headers.get_content_type() != "text/plain" else ""
        return answer.status, code, answer.will_close


def post(path: str, key: str, headers: Sequence[str], body: bytes) -> bytes:
    """A POST with exactly these headers beside host and key."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
