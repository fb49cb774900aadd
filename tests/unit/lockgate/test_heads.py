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
LARGE = b"z" * (WHOLE_MAX_BYTES + 1)


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


def rest_of(head: KnownHead, chunk: bytes) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
    """The headers and what has come of the body, of a chunk that has this head."""
    told = head.read(chunk)
    if told is None:
        return None
    headers, length, begins = told
    assert dict(headers)[b"content-length"] == b"%d" % length
    return headers, chunk[begins:]


@pytest.mark.parametrize("body", [b"body", b"", b"next", b"x" * 10, b"y" * WHOLE_MAX_BYTES, LARGE, b"\r\n\r\n"])
def test_a_head_is_known_again_with_a_body_of_any_length(body: bytes) -> None:
    """Path, headers and body are those that the parser reads, the length among them."""
    seen = _parsed(chunk(b"body"), chunk(body))
    assert rest_of(known(), chunk(body)) == (seen.headers, seen.body)
    assert seen.url == known().target


@pytest.mark.parametrize("came", [0, 1, len(LARGE) - 1, len(LARGE)])
@pytest.mark.parametrize("first", [b"body", LARGE])
def test_a_large_body_may_still_come(first: bytes, came: int) -> None:
    """Its head is known by what a small one had, and the other way round, and may be learnt where it came in part."""
    part = chunk(LARGE)[: len(chunk(LARGE)) - len(LARGE) + came]
    seen = _parsed(chunk(first), part)
    head = _learnt(chunk(first))
    assert head is not None
    assert rest_of(head, part) == (seen.headers, seen.body)
    learnt = _learnt(part)
    assert learnt is not None
    assert rest_of(learnt, chunk(b"body")) == rest_of(head, chunk(b"body"))


@pytest.mark.parametrize(
    "other",
    [
        chunk(b"body")[:-1], chunk(b"body") + b"\r\n", chunk(b"body") * 2, b"\r\n" + chunk(b"body"), b"", HEAD[:40],
        chunk(b"body").replace(b"here", b"Here"), chunk(b"body").replace(b": 4", b":  4"),
        chunk(b"body").replace(b": 4", b": 4 "), chunk(b"body").replace(b": 4", b": +4"),
        chunk(b"body").replace(b": 4", b": "), chunk(b"body").replace(b": 4", "\u0664".encode()),
        chunk(b"body").replace(b"lg_x", b"lg_y"), chunk(LARGE) + b"z", chunk(b"z" * WHOLE_MAX_BYTES)[:-1],
        chunk(b"body").replace(b": 4", b": " + b"9" * 10),
    ],
)  # fmt: skip
def test_whatever_else_comes_is_left_to_the_parser(other: bytes) -> None:
    """Less or more than one request, another head, or a length that is written otherwise or is beyond all bounds."""
    assert known().read(other) is None


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
    body=st.sampled_from([b"body", b"", b"\r\n\r\nbody", b"4\r\nbody", b"GET / HTTP/1.1\r\n\r\n", LARGE]),
)
@example(at=67, gone=1, put=b"04", body=b"body")
def test_what_is_known_is_what_the_parser_says(at: int, gone: int, put: bytes, body: bytes) -> None:
    """Of every chunk in which bytes were taken out and others put in: one request, or how a large one begins."""
    whole = chunk(body)
    changed = whole[:at] + put + whole[at + gone :]
    told = rest_of(known(), changed)
    if told is None:
        return
    seen = _parsed(chunk(b"body"), changed)
    length = int(dict(told[0])[b"content-length"])
    complete = length == len(told[1])
    assert (seen.begun, seen.complete, seen.url) == (1, complete, known().target)
    assert complete or length > WHOLE_MAX_BYTES
    assert told == (seen.headers, seen.body)
