"""Compressed bodies both ways: inflated no further than a body may be, and large answers deflated off the loop.

gzip and deflate, which is the zlib format (RFC 9110 §8.4.1). The binary length header counts what is inside.
"""

import asyncio
import re
import zlib
from collections.abc import Iterator, Mapping

from gateway.errors import BadRequest
from gateway.protocol.binary import Body
from gateway.reply import Reply

_WINDOWS: Mapping[str, int] = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_ANSWERED = ("gzip", "deflate")
_INLINE_MAX_BYTES = 2048
"""What inflates to two megabytes at most: a hop to a thread would cost more than most of these."""
_IN_BYTES, _OUT_BYTES = 65_536, 262_144
_FAST = 1
_ACCEPTED = re.compile(r"\s*(gzip|deflate|identity|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


class ContentEncodingRefused(BadRequest):
    """Content-Encoding '{found}' is not served; send the body as gzip, as deflate or as it is."""

    status = 415
    code = "content-encoding-refused"


class InflatedTooLarge(BadRequest):
    """The {encoding} body holds more than {limit} bytes, which are the most that are taken."""

    code = "inflated-too-large"


class NotCompressed(BadRequest):
    """The body is not what Content-Encoding says: {encoding} was expected."""

    code = "not-compressed"


class CompressedCutShort(BadRequest):
    """The {encoding} body ends before its end; all of it was expected."""

    code = "compressed-cut-short"


class CompressedLeftOver(BadRequest):
    """The body goes on for {found} bytes behind its {encoding} end."""

    code = "compressed-left-over"


def encoding_of(header: str | None) -> str | None:
    """The coding of a body by its Content-Encoding, None for a plain one. Raises: ContentEncodingRefused."""
    found = (header or "identity").strip().lower()
    if found == "identity":
        return None
    if found not in _WINDOWS:
        raise ContentEncodingRefused(found=found[:40])
    return found


async def inflated(body: Body, encoding: str, limit: int) -> Body:
    """What is inside a compressed body, refused before more memory is taken than `limit` bytes.

    Raises: InflatedTooLarge, NotCompressed, CompressedCutShort, CompressedLeftOver.
    """
    if len(body) <= _INLINE_MAX_BYTES:
        return inflate(body, encoding, limit)
    return await asyncio.to_thread(inflate, body, encoding, limit)


def inflate(body: Body, encoding: str, limit: int) -> Body:
    """As `inflated`, at once."""
    machine, inside = zlib.decompressobj(_WINDOWS[encoding]), bytearray()
    try:
        for piece in _pieces(machine, memoryview(body)):
            if len(inside) + len(piece) > limit:
                raise InflatedTooLarge(encoding=encoding, limit=limit)
            inside += piece
    except zlib.error as error:
        raise NotCompressed(encoding=encoding) from error
    if not machine.eof:
        raise CompressedCutShort(encoding=encoding)
    if machine.unused_data:
        raise CompressedLeftOver(encoding=encoding, found=len(machine.unused_data))
    return memoryview(inside)


def _pieces(machine: "zlib._Decompress", body: memoryview) -> Iterator[bytes]:
    """What is inside, a bounded piece at a time, however much a few bytes may stand for."""
    for at in range(0, len(body), _IN_BYTES):
        left: Body = body[at : at + _IN_BYTES]
        while True:
            piece = machine.decompress(left, _OUT_BYTES)
            yield piece
            left = machine.unconsumed_tail
            if not left and len(piece) < _OUT_BYTES:
                break


def accepted(header: str | None) -> str | None:
    """The coding that a caller likes best by its Accept-Encoding, gzip before deflate; None for a plain answer.

    A plain one goes also to whoever says that it would rather have that, `identity;q=1, gzip;q=0.5`.
    """
    parts = map(_ACCEPTED.fullmatch, (header or "").lower().split(","))
    weights = {found[1]: float(found[2] or 1) for found in parts if found}
    liked = {name: weights.get(name, weights.get("*", 0.0)) for name in _ANSWERED}
    best = max(_ANSWERED, key=liked.__getitem__)
    return best if liked[best] > 0 and liked[best] >= weights.get("identity", 0.0) else None


async def deflated(reply: Reply, accept: str | None) -> Reply:
    """A large answer, compressed in a thread if its caller takes that; caches are told either way."""
    coding = accepted(accept)
    if coding is None:
        return _varying(reply, reply.body, reply.tensors)
    body = await asyncio.to_thread(_deflate, reply, coding)
    return _varying(reply, body, (), ("Content-Encoding", coding))


def _deflate(reply: Reply, coding: str) -> bytes:
    machine = zlib.compressobj(_FAST, zlib.DEFLATED, _WINDOWS[coding])
    parts: tuple[Body, ...] = (reply.body, *reply.tensors)
    return b"".join((*map(machine.compress, parts), machine.flush()))


def _varying(reply: Reply, body: bytes, tensors: tuple[memoryview, ...], *headers: tuple[str, str]) -> Reply:
    return Reply(reply.status, (*reply.headers, ("Vary", "Accept-Encoding"), *headers), body, tensors)
