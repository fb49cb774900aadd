"""The prediction entry: a bare ASGI application in front of the others, because every layer costs the hot path.

It reads a bounded body, knows the caller, hands a `Call` to the pipeline and writes the reply; whatever goes wrong
becomes an error of the catalogue.
"""

import re
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog

from gateway.call import Call
from gateway.errors import BadRequest, GatewayError
from gateway.holding.asked import RawHeaders
from gateway.http.asgi import Receive, Scope, Send, header, send_reply, values_of
from gateway.http.body import BodyTooSlow, read_body
from gateway.http.callers import caller_of, require
from gateway.metrics import PREDICTION_SECONDS, REFUSALS
from gateway.pipeline import Pipeline
from gateway.protocol.binary import LENGTH_HEADER, json_length
from gateway.protocol.errors import BodyTooLarge
from gateway.registry.follower import Follower
from gateway.reply import Reply, error_reply
from gateway.times import now_us

INFER = re.compile(r"/v2/models/([^/]{1,64})(?:/versions/([^/]{1,20}))?/infer")
_LENGTH_HEADER = LENGTH_HEADER.lower().encode()
_log = structlog.get_logger("gateway.request")


class ContentEncodingRefused(BadRequest):
    """Content-Encoding '{found}' is not served; send the body as it is."""

    status = 415
    code = "content-encoding-refused"


class PredictEntry:
    """POST /v2/models/{model}[/versions/{version}]/infer."""

    def __init__(self, pipeline: Pipeline, follower: Follower, *, body_max_bytes: int, body_s: float) -> None:
        self._pipeline = pipeline
        self._follower = follower
        self._body_max_bytes = body_max_bytes
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send, model: str, version: str | None) -> None:
        """Answer one request; it is the one place where its event is logged."""
        began = perf_counter()
        try:
            reply = await self._answer(scope, receive, model, version)
            code = ""
        except GatewayError as error:
            reply, code = refused(error), error.code
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
        caller = caller_of(header(headers, b"authorization"), self._follower.live.plan, now_us())
        require(caller, "predict", model)
        if (encoding := header(headers, b"content-encoding")) not in (None, "identity"):
            raise ContentEncodingRefused(found=str(encoding)[:40])
        json_bytes = json_length(values_of(headers, _LENGTH_HEADER))
        body = await read_body(headers, receive, self._body_max_bytes, self._body_s, json_bytes=json_bytes)
        call = Call(
            caller=caller,
            model=model,
            version=version,
            headers=headers,
            body=body,
            json_bytes=json_bytes,
            left=_left(receive),
        )
        return await self._pipeline.handle(call)


def refused(error: GatewayError) -> Reply:
    """The reply to a request that goes no further; what is left of its body is not waited for."""
    if error.status == 401:
        return error_reply(error, headers=(("WWW-Authenticate", "Bearer"),))
    if isinstance(error, BodyTooLarge | BodyTooSlow):
        return error_reply(error, headers=(("Connection", "close"),))
    return error_reply(error)


def _left(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return left
