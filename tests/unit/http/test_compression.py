"""Compressed bodies: what is inside, within bounds, or a refusal that says what is wrong."""

import asyncio
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.http import compression
from gateway.http.compression import accepted, deflated, encoding_of, inflate, inflated
from gateway.reply import JSON, Reply

MIB = 1 << 20


def packed(data: bytes, encoding: str) -> bytes:
    """The data, compressed."""
    return zlib.compress(data) if encoding == "deflate" else gzip.compress(data, mtime=0)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
@given(data=st.binary(max_size=500), repeated=st.integers(1, 3000))
def test_what_was_compressed_comes_out(encoding: str, data: bytes, repeated: int) -> None:
    """Any bytes of any size up to the limit are what they were."""
    whole = data * repeated
    assert bytes(inflate(packed(whole, encoding), encoding, len(whole))) == whole


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (packed(b"x" * 11, "gzip"), "gzip", "inflated-too-large"),
        (packed(b"x" * 11, "deflate"), "deflate", "inflated-too-large"),
        (b"{}", "gzip", "not-compressed"),
        (packed(b"{}", "deflate"), "gzip", "not-compressed"),
        (zlib.compress(b"{}", wbits=-15), "deflate", "not-compressed"),
        (packed(b"{}", "gzip")[:-1], "gzip", "compressed-cut-short"),
        (b"", "gzip", "compressed-cut-short"),
        (packed(b"{}", "gzip") + b"x", "gzip", "compressed-left-over"),
        (packed(b"{}", "gzip") * 2, "gzip", "compressed-left-over"),
        (packed(b"{}", "gzip")[:-8] + b"\0" * 8, "gzip", "not-compressed"),
    ],
    ids=[
        "gzip-too-large", "deflate-too-large", "no-gzip", "zlib-not-gzip", "raw-not-zlib", "cut-short", "empty",
        "left-over", "twice", "wrong-sum",
    ],
)  # fmt: skip
def test_what_is_not_a_compressed_body_is_refused(body: bytes, encoding: str, code: str) -> None:
    """Too much, something else, half of it, more than it, or a wrong sum: each has an error of its own."""
    with pytest.raises(GatewayError) as refused:
        inflate(body, encoding, 10)
    assert (refused.value.code, refused.value.status) == (code, 400)


def test_what_follows_far_behind_the_end_is_refused_too() -> None:
    """A tail is found, however long it is."""
    with pytest.raises(compression.CompressedLeftOver):
        inflate(packed(b"{}", "gzip") + bytes(300_000), "gzip", 10)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_takes_no_more_memory_than_a_body_may(encoding: str) -> None:
    """What would become twenty megabytes is refused at the limit, before it is there."""
    machine = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join([*(machine.compress(bytes(MIB)) for _ in range(20)), machine.flush()])
    tracemalloc.start()
    try:
        with pytest.raises(compression.InflatedTooLarge, match="more than 1000000 bytes"):
            asyncio.run(inflated(bomb, encoding, 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=100), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_inflated_or_refused(body: bytes, encoding: str) -> None:
    """Arbitrary bytes raise nothing but errors of ours."""
    for sent in (body, packed(body, encoding)[: len(body)]):
        try:
            assert len(inflate(sent, encoding, 50)) <= 50
        except GatewayError as error:
            assert error.status == 400  # noqa: PT017 - it may be inflated, too


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("br, zstd", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("GZIP ; q=1.0", "gzip"),
        ("gzip;q=0, deflate;q=0", None),
        ("gzip;q=0, *", "deflate"),
        ("*;q=0", None),
        ("gzip;q=much", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0, deflate;q=0.001", "deflate"),
        ("gzip;q=0.5, identity;q=0.1, *;q=0", "gzip"),
    ],
)
def test_the_coding_that_a_caller_likes_best_is_chosen(header: str | None, coding: str | None) -> None:
    """By weight, gzip first among equals, and never one with weight 0."""
    assert accepted(header) == coding


@pytest.mark.parametrize(
    ("header", "encoding"), [(None, None), ("identity", None), ("GZip", "gzip"), (" deflate ", "deflate")]
)
def test_the_coding_of_a_body_is_read(header: str | None, encoding: str | None) -> None:
    """One coding or none."""
    assert encoding_of(header) == encoding


@pytest.mark.parametrize("header", ["br", "gzip, gzip", "gzip, br", "compress"])
def test_other_codings_are_refused(header: str) -> None:
    """What cannot be inflated, and what was compressed twice, is 415."""
    with pytest.raises(compression.ContentEncodingRefused) as refused:
        encoding_of(header)
    assert refused.value.status == 415


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_answer_is_compressed_with_its_tensors(coding: str) -> None:
    """JSON and raw tensors become one body, which says how it is read and that it depends on what was accepted."""
    reply = Reply(200, JSON, b"{}", (memoryview(bytes(100_000)), memoryview(b"tail")))
    sent = asyncio.run(deflated(reply, coding))
    assert (sent.header("Content-Encoding"), sent.header("Vary")) == (coding, "Accept-Encoding")
    assert sent.size < 1000
    assert bytes(inflate(sent.body, coding, 200_000)) == reply.whole


def test_an_answer_that_nobody_wants_compressed_is_left() -> None:
    """Without an accepted coding only Vary is added."""
    reply = Reply(200, JSON, b"{}", (memoryview(b"tail"),))
    sent = asyncio.run(deflated(reply, "br"))
    assert (sent.whole, sent.header("Content-Encoding"), sent.header("Vary")) == (b"{}tail", None, "Accept-Encoding")
