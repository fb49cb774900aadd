"""The prediction entry: a bare ASGI application in front of the others, because every layer costs the hot path.

It reads a bounded body, knows the caller, hands a `Call` to the pipeline and writes the reply; whatever goes wrong
becomes an error of the catalogue.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any

import structlog

from gateway.call import Call
from gateway.errors import BadRequest, GatewayError
from gateway.holding.asked import RawHeaders
from gateway.http.callers import caller_of, require
from gateway.metrics import PREDICTION_SECONDS, REFUSALS
from gateway.pipeline import Pipeline
from gateway.protocol.errors import BodyTooLarge
from gateway.registry.follower import Follower
from gateway.reply import Reply, error_reply
from gateway.times import now_us

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

INFER = re.compile(r"/v2/models/([^/]{1,64})(?:/versions/([^/]{1,20}))?/infer")
_log = structlog.get_logger("gateway.request")


class BodyEndedEarly(BadRequest):
    """The connection ended before the whole body had come."""

    code = "body-ended-early"


class ContentEncodingRefused(BadRequest):
    """Content-Encoding '{found}' is not served; send the body as it is."""

    status = 415
    code = "content-encoding-refused"


class PredictEntry:
    """POST /v2/models/{model}[/versions/{version}]/infer."""

    def __init__(self, pipeline: Pipeline, follower: Follower, *, body_max_bytes: int) -> None:
        self._pipeline = pipeline
        self._follower = follower
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send, model: str, version: str | None) -> None:
        """Answer one request; it is the one place where its event is logged."""
        began = perf_counter()
        try:
            reply = await self._answer(scope, receive, model, version)
            code = ""
        except GatewayError as error:
            reply, code = error_reply(error), error.code
            if error.status == 401:
                reply = Reply(reply.status, (*reply.headers, ("WWW-Authenticate", "Bearer")), reply.body)
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets our words, the log the cause
            _log.error("request_failed", error=type(error).__name__, exc_info=error)
            reply, code = error_reply(GatewayError()), GatewayError.code
        seconds = perf_counter() - began
        if code:
            REFUSALS.add(code)
        PREDICTION_SECONDS.observe(seconds, model if code not in {"unknown-model", "unauthenticated"} else "")
        _log.info("request", model=model, status=reply.status, error=code, ms=round(seconds * 1000, 3))
        await send_reply(send, reply)

    async def _answer(self, scope: Scope, receive: Receive, model: str, version: str | None) -> Reply:
        headers: RawHeaders = scope["headers"]
        caller = caller_of(_header(headers, b"authorization"), self._follower.live.plan, now_us())
        require(caller, "predict", model)
        if (encoding := _header(headers, b"content-encoding")) not in (None, "identity"):
            raise ContentEncodingRefused(found=str(encoding)[:40])
        body = await read_body(headers, receive, self._body_max_bytes)
        call = Call(caller=caller, model=model, version=version, headers=headers, body=body, left=_left(receive))
        return await self._pipeline.handle(call)


async def read_body(headers: RawHeaders, receive: Receive, limit: int) -> bytes:
    """The whole body, refused before memory is taken when it is too large. Raises: BodyTooLarge, BodyEndedEarly."""
    declared = _header(headers, b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise BodyTooLarge(found=int(declared), limit=limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts, size = bytearray(), 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(found=size, limit=limit)
        parts += part
        if not message.get("more_body"):
            return bytes(parts)
        message = await receive()
    raise BodyEndedEarly


async def send_reply(send: Send, reply: Reply) -> None:
    """Write a reply."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)


def _left(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return left
