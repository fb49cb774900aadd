"""A known head never says of a chunk what the parser would not say of it."""

from typing import Any

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockgate.heads import HEAD_MAX_BYTES, WHOLE_MAX_BYTES, KnownHead

HEAD = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: here\r\nContent-Length: %s\r\nAuthorization: Bearer lg_x\r\n\r\n"
PIECES = (
    *(b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b"0", b"4", b"9", b"-", b"+", b"\x00", b"\xff", b"4\r\n"),
    *(b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"GET / HTTP/1.1\r\n\r\n"),
)


class Parsed:
    """What the parser says of one chunk."""

    def __init__(self) -> None:
        self.begun = self.complete = 0
        self.url = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_message_begin(self) -> None:
        """A request begins."""
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        """A part of its path."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self.body += body

    def on_message_complete(self) -> None:
        """It is here."""
        self.complete += 1


def chunk(body: bytes) -> bytes:
    """A request with this body."""
    return HEAD % (b"%d" % len(body)) + body


def known() -> KnownHead:
    """The head of such requests."""
    found = _learnt(chunk(b"body"))
    assert found is not None
    return found


def _parsed(*chunks: bytes) -> Parsed:
    """What the parser says of the last of these, which came one after the other on one connection."""
    seen: Any = Parsed()
    parser = httptools.HttpRequestParser(seen)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    for each in chunks:
        seen.__init__()
        parser.feed_data(each)
    return seen  # type: ignore[no-any-return]


def _learnt(first: bytes) -> KnownHead | None:
    """The head that a connection keeps of a chunk."""
    seen = _parsed(first)
    length = int(dict(seen.headers).get(b"content-length", b"0"))
    return KnownHead.of(first, seen.url, seen.headers, length)


@pytest.mark.parametrize("body", [b"body", b"", b"next", b"x" * 10, b"y" * WHOLE_MAX_BYTES, b"\r\n\r\n"])
def test_a_head_is_known_again_with_a_body_of_any_length(body: bytes) -> None:
    """Path, headers and body are those that the parser reads, the length among them."""
    seen = _parsed(chunk(b"body"), chunk(body))
    assert known().rest_of(chunk(body)) == (seen.headers, seen.body)
    assert seen.url == known().target


@pytest.mark.parametrize(
    "other",
    [
        chunk(b"body")[:-1], chunk(b"body") + b"\r\n", chunk(b"body") * 2, b"\r\n" + chunk(b"body"), b"", HEAD[:40],
        chunk(b"body").replace(b"here", b"Here"), chunk(b"body").replace(b": 4", b":  4"),
        chunk(b"body").replace(b": 4", b": 4 "), chunk(b"body").replace(b": 4", b": +4"),
        chunk(b"body").replace(b": 4", b": "), chunk(b"body").replace(b": 4", "\u0664".encode()),
        chunk(b"body").replace(b"lg_x", b"lg_y"), chunk(b"z" * (WHOLE_MAX_BYTES + 1)),
    ],
)  # fmt: skip
def test_whatever_else_comes_is_left_to_the_parser(other: bytes) -> None:
    """Less or more than one request, another head, a length that is written otherwise, or a body that is not small."""
    assert known().rest_of(other) is None


@pytest.mark.parametrize(
    "first",
    [
        chunk(b"body").replace(b": 4", b":4"), chunk(b"body").replace(b": 4", b": 04"),
        b"\r\n\r\n" + chunk(b"body"), chunk(b"body") + b"\r\n",
        chunk(b"body").replace(b"lg_x", b"x" * HEAD_MAX_BYTES),
    ],
)  # fmt: skip
def test_a_head_that_is_written_unusually_is_not_kept(first: bytes) -> None:
    """What stands around its length, or around the request, is for the parser; a long head would be much to keep."""
    assert _learnt(first) is None


@settings(max_examples=500, deadline=None)
@given(
    at=st.integers(0, 200),
    gone=st.integers(0, 12),
    put=st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=3).map(b"".join),
    body=st.sampled_from([b"body", b"", b"\r\n\r\nbody", b"4\r\nbody", b"GET / HTTP/1.1\r\n\r\n"]),
)
@example(at=67, gone=1, put=b"04", body=b"body")
def test_what_is_known_is_what_the_parser_says(at: int, gone: int, put: bytes, body: bytes) -> None:
    """Of every chunk in which bytes were taken out and others put in it is one request, with the same contents."""
    whole = chunk(body)
    changed = whole[:at] + put + whole[at + gone :]
    told = known().rest_of(changed)
    if told is None:
        return
    seen = _parsed(chunk(b"body"), changed)
    assert (seen.begun, seen.complete, seen.url) == (1, 1, known().target)
    assert told == (seen.headers, seen.body)
