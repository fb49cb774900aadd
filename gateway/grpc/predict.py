"""ModelInfer: the prediction entry of the gRPC listener, on the same pipeline as the one over HTTP.

A caller that goes, or whose deadline passes, ends its wait for a person and nothing else: what was begun is finished
and recorded.
"""

import asyncio
from http import HTTPStatus
from time import perf_counter

from google.protobuf.message import DecodeError
from grpc import StatusCode

from gateway.access.callers import caller_of, require
from gateway.grpc.answer import Refusal, refusal_of, response_of
from gateway.grpc.arriving import message_of
from gateway.grpc.call import GrpcCall
from gateway.grpc.refuse import Context, refusal_for, refuse
from gateway.holding.asked import RawHeaders
from gateway.http.asgi import header
from gateway.leaving import CallerLeft
from gateway.live import Live
from gateway.noted import note
from gateway.pipeline import Pipeline
from gateway.plan import Caller
from gateway.protocol.contents_errors import MalformedMessage
from gateway.protocol.errors import BodyTooLarge
from gateway.protocol.fields import split
from gateway.protocol.inference_pb2 import ModelInferRequest
from gateway.reply import Reply
from gateway.times import now_us

RAW_INPUT = ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER


class Predictions:
    """Answers the ModelInfer calls of one process."""

    def __init__(self, pipeline: Pipeline, live: Live, body_max_bytes: int, body_s: float) -> None:
        self._pipeline = pipeline
        self._live = live
        self._body_max_bytes = body_max_bytes
        self._body_s = body_s
        self._running: set[asyncio.Task[Reply]] = set()

    async def infer(self, _coming: object, context: Context) -> bytes:
        """Answer one call, whose message is read for a key alone; it is the one place where its event is logged."""
        began, model = perf_counter(), ""
        told: bytes | Refusal
        try:
            caller = caller_of(header(headers_of(context), b"authorization"), self._live.plan.plan, now_us())
            body = await message_of(context, self._body_s)
            message, raw = _read(body, self._body_max_bytes)
            model = message.model_name
            require(caller, "predict", model)
            reply = await self._reply(caller, body, message, raw, context)
            told = response_of(reply, raw=bool(raw)) if reply.status == HTTPStatus.OK else refusal_of(reply)
        except asyncio.CancelledError:
            note(model, StatusCode.CANCELLED.name, CallerLeft.code, began)
            raise
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets our words, the log the cause
            told = refusal_for(error)
        if isinstance(told, bytes):
            note(model, StatusCode.OK.name, "", began)
            return told
        note(model, told.status.name, "" if reply_is_hold(told) else told.code, began)
        return await refuse(context, told)

    async def close(self) -> None:
        """Wait for what is finished for callers who have gone."""
        while self._running:
            await asyncio.wait(self._running)

    async def _reply(
        self, caller: Caller, body: bytes, message: ModelInferRequest, raw: list[memoryview], context: Context
    ) -> Reply:
        """What the pipeline says; it goes on when the caller has left. Raises: GatewayError."""
        left = asyncio.Event()
        call = GrpcCall(
            caller=caller,
            model=message.model_name,
            version=message.model_version or None,
            headers=headers_of(context),
            body=body,
            message=message,
            raw=raw,
            deadline_s=context.time_remaining(),
            left=left.wait,
        )
        answering = asyncio.create_task(self._pipeline.handle(call))
        self._running.add(answering)
        answering.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(answering)
        finally:
            left.set()


def headers_of(context: Context) -> RawHeaders:
    """The metadata of a call as headers."""
    metadata = context.invocation_metadata() or ()
    return [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in metadata]


def reply_is_hold(refusal: Refusal) -> bool:
    """Whether it says that people have the request before them, as its caller asked; that is no error."""
    return refusal.code == "held"


def _read(body: bytes, limit: int) -> tuple[ModelInferRequest, list[memoryview]]:
    """The message in a body, and the raw tensors that lie in it. Raises: BodyTooLarge, MalformedMessage."""
    if len(body) > limit:
        raise BodyTooLarge(found=len(body), limit=limit)
    rest, raw = split(body, RAW_INPUT)
    try:
        return ModelInferRequest.FromString(rest), raw
    except DecodeError as error:
        raise MalformedMessage(message="ModelInferRequest") from error
