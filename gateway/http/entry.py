"""The prediction entry: a bare ASGI application in front of the others, because every layer costs the hot path.

It reads a bounded body, knows the caller, hands a `Call` to the pipeline and writes the reply; whatever goes wrong
becomes an error of the catalogue.
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import inf
from time import perf_counter

import msgspec

from gateway.access.callers import caller_of, require
from gateway.call import NOTHING_BEGUN, Call
from gateway.errors import GatewayError
from gateway.holding.asked import RawHeaders
from gateway.http.asgi import BEGUN, BODY, Receive, Scope, Send, header, send_reply, values_of
from gateway.http.body import BodyTooSlow, read_body
from gateway.http.compression import deflated, encoding_of, inflated
from gateway.noted import note, note_failure
from gateway.pipeline import Pipeline
from gateway.protocol.binary import LENGTH_HEADER, Body, json_length
from gateway.protocol.errors import BodyTooLarge
from gateway.registry.follower import Follower
from gateway.reply import Reply, error_reply
from gateway.times import now_us

INFER = re.compile(r"/v2/models/([^/]{1,64})(?:/versions/([^/]{1,20}))?/infer")
_LENGTH_HEADER = LENGTH_HEADER.lower().encode()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may bring, and from which size on its answer is compressed (0: never)."""

    body_max_bytes: int
    body_s: float
    compress_min_bytes: int


class PredictEntry:
    """POST /v2/models/{model}[/versions/{version}]/infer."""

    def __init__(self, pipeline: Pipeline, follower: Follower, bounds: Bounds) -> None:
        self._pipeline = pipeline
        self._follower = follower
        self._bounds = bounds
        self._compressed_from = bounds.compress_min_bytes or inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send, model: str, version: str | None) -> None:
        """Answer one request; it is the one place where its event is logged."""
        began = perf_counter()
        try:
            reply = await self._answer(scope, receive, model, version)
            code = ""
        except GatewayError as error:
            reply, code = refused(error, scope["path"]), error.code
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets our words, the log the cause
            note_failure(error)
            reply, code = error_reply(GatewayError(), instance=scope["path"]), GatewayError.code
        note(model, reply.status, code, began)
        await send_reply(send, reply)

    async def _answer(self, scope: Scope, receive: Receive, model: str, version: str | None) -> Reply:
        headers: RawHeaders = scope["headers"]
        caller = caller_of(header(headers, b"authorization"), self._follower.live.plan, now_us())
        require(caller, "predict", model)
        self._pipeline.refuse_early(caller, model)
        json_bytes = json_length(values_of(headers, _LENGTH_HEADER))
        call = Call(
            caller=caller,
            model=model,
            version=version,
            headers=headers,
            json_bytes=json_bytes,
            body=await self._body(scope, receive, json_bytes),
            left=_left(receive),
            begun=scope.get(BEGUN) or NOTHING_BEGUN,
        )
        reply = await self._pipeline.handle(call)
        if reply.size >= self._compressed_from and reply.status == HTTPStatus.OK:
            return await deflated(reply, header(headers, b"accept-encoding"))
        return reply

    async def _body(self, scope: Scope, receive: Receive, json_bytes: int | None) -> Body:
        """The body, inflated where it came compressed."""
        headers, limit = scope["headers"], self._bounds.body_max_bytes
        encoding = encoding_of(", ".join(values_of(headers, b"content-encoding")))
        body = await read_body(
            headers, receive, limit, self._bounds.body_s, json_bytes=json_bytes, straight=scope.get(BODY)
        )
        return body if encoding is None else await inflated(body, encoding, limit)


def refused(error: GatewayError, instance: str) -> Reply:
    """The reply to a request that goes no further; what is left of its body is not waited for."""
    if error.status == 401:
        return error_reply(error, instance=instance, headers=(("WWW-Authenticate", "Bearer"),))
    if isinstance(error, BodyTooLarge | BodyTooSlow):
        return error_reply(error, instance=instance, headers=(("Connection", "close"),))
    return error_reply(error, instance=instance)


def _left(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return left
