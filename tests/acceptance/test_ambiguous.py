"""Requests that two readers could read differently are refused, so that no proxy sees another request than we do."""

import gzip
import json
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from tests.acceptance.scene import Scene
from tests.acceptance.wire import LENGTH, post, told

INFER = "/v2/models/grades/infer"
X = np.array([[1, 30, -1, 0]], np.float32).tobytes()
TEXT = json.dumps(
    {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": len(X)}}]}
).encode()
BODY, HEAD = TEXT + X, len(TEXT)
PLAIN = json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}).encode()
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PLAIN), PLAIN)


def sized(body: bytes, *more: str) -> tuple[Sequence[str], bytes]:
    """The body with its length."""
    return (f"Content-Length: {len(body)}", *more), body


def split(*lengths: str) -> tuple[Sequence[str], bytes]:
    """The binary body, whose JSON is said to have these lengths."""
    return sized(BODY, *(f"{LENGTH}: {length}" for length in lengths))


def packed(body: bytes, *codings: str) -> tuple[Sequence[str], bytes]:
    """The body, said to be packed like this."""
    return sized(body, *(f"Content-Encoding: {coding}" for coding in codings))


LENGTHS = [
    ("twice the same", split(str(HEAD), str(HEAD)), "length-header-twice"),
    ("two that differ", split(str(HEAD), "2"), "length-header-twice"),
    ("a list", split(f"{HEAD}, {HEAD}"), "length-header-malformed"),
    ("a sign", split(f"+{HEAD}"), "length-header-malformed"),
    ("a minus", split(f"-{HEAD}"), "length-header-negative"),
    ("hexadecimal", split(hex(HEAD)), "length-header-malformed"),
    ("a fraction", split(f"{HEAD}.0"), "length-header-malformed"),
    ("an exponent", split("1e2"), "length-header-malformed"),
    ("a space within", split(f"{HEAD} 0"), "length-header-malformed"),
    ("other digits", split("²"), "length-header-malformed"),
    ("nothing", split(""), "length-header-malformed"),
    ("one less: the JSON is cut", split(str(HEAD - 1)), "malformed-json"),
    ("one more: a tensor's byte is JSON", split(str(HEAD + 1)), "malformed-json"),
    ("beyond the body", split(str(len(BODY) + 1)), "json-beyond-body"),
    ("beyond any body", split("9" * 18), "json-beyond-body"),
    ("all of it: no byte is left", split(str(len(BODY))), "malformed-json"),
    ("none, but binary", sized(BODY), "malformed-json"),
    ("none, but a size", sized(TEXT), "binary-without-length"),
    ("two tensors in one's place", sized(BODY + X, f"{LENGTH}: {HEAD}"), "binary-left-over"),
]
PACKINGS = [
    ("gzip said twice", packed(gzip.compress(gzip.compress(PLAIN)), "gzip", "gzip"), "content-encoding-refused"),
    ("two codings", packed(gzip.compress(PLAIN), "identity", "gzip"), "content-encoding-refused"),
    ("a list", packed(gzip.compress(PLAIN), "gzip, identity"), "content-encoding-refused"),
    ("packed twice, said once", packed(gzip.compress(gzip.compress(PLAIN)), "gzip"), "malformed-json"),
    ("said and not done", packed(PLAIN, "gzip"), "not-compressed"),
    ("another than said", packed(zlib.compress(PLAIN), "gzip"), "not-compressed"),
    ("raw deflate", packed(zlib.compress(PLAIN, wbits=-15), "deflate"), "not-compressed"),
    ("cut short", packed(gzip.compress(PLAIN)[:-9], "gzip"), "compressed-cut-short"),
    ("a tail", packed(gzip.compress(PLAIN) + b"x", "gzip"), "compressed-left-over"),
    ("two members", packed(gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]), "gzip"), "compressed-left-over"),
    ("a bomb", packed(gzip.compress(bytes(80 << 20)), "gzip"), "inflated-too-large"),
    ("a bomb in a bomb", packed(gzip.compress(gzip.compress(bytes(80 << 20))), "gzip"), "malformed-json"),
    (
        "a length of what is packed",
        sized(gzip.compress(BODY), "Content-Encoding: gzip", f"{LENGTH}: 9"),
        "malformed-json",
    ),
]
FRAMINGS = [
    ("two lengths", ("Content-Length: 5", f"Content-Length: {len(PLAIN)}")),
    ("the same length twice", (f"Content-Length: {len(PLAIN)}",) * 2),
    ("a list of lengths", (f"Content-Length: {len(PLAIN)}, {len(PLAIN)}",)),
    ("a length with a sign", (f"Content-Length: +{len(PLAIN)}",)),
    ("a negative length", (f"Content-Length: -{len(PLAIN)}",)),
    ("a length in hexadecimal", ("Content-Length: 0x10",)),
    ("a length beyond counting", ("Content-Length: " + "9" * 40,)),
    ("length and chunks", (f"Content-Length: {len(PLAIN)}", "Transfer-Encoding: chunked")),
    ("chunks and length", ("Transfer-Encoding: chunked", f"Content-Length: {len(PLAIN)}")),
    ("chunks that are none", ("Transfer-Encoding: chunked",)),
    ("chunks not at the end", ("Transfer-Encoding: chunked, identity",)),
    ("a space before the colon", (f"Content-Length : {len(PLAIN)}",)),
    ("a folded header", ("X-Folded: a", f" Content-Length: {len(PLAIN)}", "Transfer-Encoding: x")),
]


@pytest.mark.parametrize(
    ("request_", "code"), [row[1:] for row in LENGTHS + PACKINGS], ids=[row[0] for row in LENGTHS + PACKINGS]
)
def test_what_can_be_read_in_two_ways_is_refused(
    scene: Scene, request_: tuple[Sequence[str], bytes], code: str
) -> None:
    """Where JSON ends and how a body is packed is said once and is true, or the request is refused by name."""
    headers, body = request_
    status, found, _ = told(scene.server.port, post(INFER, scene.caller, headers, body))
    assert (found, status) == (code, 415 if code == "content-encoding-refused" else 400)


@pytest.mark.parametrize("headers", [row[1] for row in FRAMINGS], ids=[row[0] for row in FRAMINGS])
def test_a_body_has_one_length(scene: Scene, headers: Sequence[str]) -> None:
    """Where a request ends is never guessed: 400, and the connection ends, so that nothing behind it is a request."""
    hidden = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"
    status, _, ends = told(scene.server.port, post(INFER, scene.caller, headers, PLAIN + hidden))
    assert (status, ends) == (400, True)
