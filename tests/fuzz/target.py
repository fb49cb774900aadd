"""A gateway's own entries in this process, with its pipeline, decoder and sessions: what hostile requests are sent to.

Only what needs a ledger is absent: no model is in it, nothing is held, and no request has an Idempotency-Key.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Never
from uuid import UUID

import msgspec
from grpc import StatusCode

from flags.definitions import State, body_of, digest_of, switched, with_model_flags
from flags.store import StoredState
from gateway.capture import Capture
from gateway.context import ContextReader
from gateway.grpc.predict import Predictions
from gateway.holding.holds import open_holds
from gateway.holding.idempotency import IdempotencyKeys
from gateway.http.asgi import Message
from gateway.http.entry import INFER, Bounds, PredictEntry
from gateway.inference.batching import Batcher
from gateway.inference.cache import SessionCache
from gateway.inference.session import OnnxSession
from gateway.inference.shadow import open_shadow
from gateway.live import Live
from gateway.pipeline import Pipeline
from gateway.plan import Caller, Plan
from gateway.protocol.decode import Limits, RequestDecoder
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.registry.follower import Follower
from gateway.registry.live import LivePlan, LiveRelease
from gateway.store.ledger import Ledger
from gateway.times import now_us
from tests.fuzz.models import MODELS, TENANT, Echo

KEY = "lg_fuzz"
BODY_MAX_BYTES = 1 << 20
ELEMENTS_MAX = 100_000
LIMITS = Limits(body_max_bytes=BODY_MAX_BYTES, elements_max=ELEMENTS_MAX)
PATIENCE_S = 3600.0
"""Nobody is slow here; who hangs is noticed from outside."""
Headers = list[tuple[bytes, bytes]]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One request: over HTTP a path, headers and a body in parts, over gRPC metadata and a message."""

    over: str
    model: str
    headers: list[tuple[bytes, bytes]]
    parts: list[bytes]
    whole: bool = True
    """Whether the body comes to its end; else the caller hangs up behind its last part."""


@dataclass(frozen=True)
class Answer:
    """What came back: an HTTP status, or the name of a gRPC status, with body and content type or error code."""

    status: int | str
    body: bytes
    kind: str
    encoding: str = ""


class Target:
    """The entries of one gateway."""

    def __init__(self, entry: PredictEntry, spoken: Predictions, decoders: dict[str, RequestDecoder]) -> None:
        self._entry = entry
        self._spoken = spoken
        self.decoders = decoders

    async def answer(self, sent: Sent) -> Answer:
        """What the gateway says to a request."""
        return await (self._over_http(sent) if sent.over == "http" else self._over_grpc(sent))

    async def _over_http(self, sent: Sent) -> Answer:
        path = f"/v2/models/{sent.model}/infer"
        found = INFER.fullmatch(path)
        assert found is not None
        said: list[Message] = []
        parts = [{"type": "http.request", "body": part, "more_body": True} for part in sent.parts]
        if sent.whole:
            parts = [*parts[:-1], {**parts[-1], "more_body": False}] if parts else [{"type": "http.request"}]
        coming = iter(parts)

        async def receive() -> Message:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": sent.headers}
        await self._entry(scope, receive, send, found[1], found[2])
        headers = dict(said[0]["headers"])
        body = b"".join(bytes(message["body"]) for message in said[1:])
        told = {
            name: headers.get(name.encode(), b"").decode("latin-1") for name in ("content-type", "content-encoding")
        }
        return Answer(said[0]["status"], body, told["content-type"], told["content-encoding"])

    async def _over_grpc(self, sent: Sent) -> Answer:
        try:
            body = await self._spoken.infer(None, _Context(b"".join(sent.parts), sent.headers))
        except _Ended as ended:
            return Answer(ended.status.name, ended.text.encode(), ended.code)
        return Answer(StatusCode.OK.name, body, "")


class _Ended(Exception):
    """A gRPC call ended with a status."""

    def __init__(self, status: StatusCode, text: str, code: str) -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code


class _Context:
    """The context of a gRPC call."""

    def __init__(self, message: bytes, metadata: Headers) -> None:
        self._message = message
        self._metadata = [(name.decode("ascii"), value.decode("latin-1")) for name, value in metadata]

    async def abort(self, code: StatusCode, details: str, trailing_metadata: Iterable[tuple[str, str]] = ()) -> Never:
        raise _Ended(code, details, dict(trailing_metadata).get("error-code", ""))

    async def read(self) -> bytes:
        return self._message

    def invocation_metadata(self) -> list[tuple[str, str | bytes]]:
        return list(self._metadata)

    def time_remaining(self) -> float | None:
        return None


@asynccontextmanager
async def open_target(folder: Path) -> AsyncIterator[Target]:
    """A gateway that serves the echoing models, automatically."""
    async with AsyncExitStack() as stack:
        ledger = Ledger.open(f"sqlite+aiosqlite:///{folder}/ledger.db")
        stack.push_async_callback(ledger.close)
        objects = LocalObjects(folder / "objects")
        settings = LogSettings(directory=folder / "traffic", process="gateway-1", reserve_bytes=0)
        log = await stack.enter_async_context(open_traffic_log(settings, objects))
        follower = await _serving(ledger, objects, folder)
        holds = await stack.enter_async_context(open_holds(ledger, objects, public_url="http://127.0.0.1"))
        capture = Capture(log, objects)
        stack.push_async_callback(capture.close)
        shadow = await stack.enter_async_context(open_shadow(log, capture, Random(7)))
        pipeline = Pipeline(follower, holds, IdempotencyKeys(ledger, "gateway-1"), capture, shadow, Random(7))
        bounds = Bounds(body_max_bytes=BODY_MAX_BYTES, body_s=PATIENCE_S, compress_min_bytes=4096)
        entry = PredictEntry(pipeline, follower, bounds)
        live = follower.live
        decoders = {name: live.live(model.champion).decoder for (_, name), model in live.plan.models.items()}
        yield Target(entry, Predictions(pipeline, Live(follower, "0"), BODY_MAX_BYTES, PATIENCE_S), decoders)


async def _serving(ledger: Ledger, objects: LocalObjects, folder: Path) -> Follower:
    """A follower that follows nothing: its plan is put there."""
    follower = Follower(ledger, objects, folder / "plan", limits=LIMITS, threads=1)
    state = State()
    for model in MODELS:
        state = switched(with_model_flags(state, model.name), f"{model.name}.automated", on=True)
    body = body_of(state)
    await follower.flags.adopt(StoredState(version=1, digest=digest_of(body), body=body), now_us())
    released = [_released(model) for model in MODELS]
    caller = Caller(
        key_id=UUID(int=9), key_name="fuzz", tenant_id=TENANT, person_id=None, scopes=frozenset({"predict:*", "pin:*"})
    )
    plan = Plan(
        revision=1,
        models={(TENANT, model.name): model.plan() for model in MODELS},
        callers={sha256(KEY.encode()).digest(): caller},
    )
    follower.live = LivePlan(plan, {each.release.id: each for each in released}, SessionCache())
    return follower


def _released(model: Echo) -> LiveRelease:
    release = model.plan().champion
    session = OnnxSession.open(model.onnx())
    session.warm_up()
    return LiveRelease(
        release=release,
        session=session,
        runner=Batcher(session, release.card.batching, joins=release.joins, model=model.name),
        decoder=RequestDecoder(
            session.signature, display=release.card.beside, batch_axis=release.card.batch_axis, limits=LIMITS
        ),
        context=ContextReader(release.card.context),
        file=None,
    )


def quiet() -> None:
    """Log nothing: what goes wrong is seen in the answer."""
    import structlog

    structlog.configure(processors=[_drop])


def _drop(*_: Any) -> Never:
    import structlog

    raise structlog.DropEvent
