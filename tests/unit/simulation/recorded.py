"""Requests as a gateway would decide, settle and record them, without a gateway."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from flags.answer import NOTHING_LOADED, FlagView
from flags.context import RequestFacts
from flags.folding import FoldedFlags
from gateway.context import Told, kept_fields, sticky_key, unread_fields
from gateway.decide import Question, decide
from gateway.decision import Asked, Decision, Settled
from gateway.plan import ModelPlan
from gateway.record.codec import encode
from gateway.record.entries import ContextField, Decided, FlagFacts, ItemFacts
from gateway.record.frames import Frame
from gateway.settle import Run, settle
from review.simulation.chunk import Chunk
from review.traffic.recorded import Wanted, open_chunks
from tests.plans import CLASSES, TENANT

MODEL = "sentiment"
NOW_US = 1_764_000_000_000_000


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it comes in, with what the model says of each of its items."""

    number: int
    scores: tuple[float, ...]
    answers: tuple[str, ...]
    amounts: tuple[float, ...]
    asked: bool = False
    user: str | None = None
    session: str | None = None
    region: str | None = None
    at_us: int = NOW_US
    gate: str = ""
    """`flags_unknown` or `flags_stale`, where the flags were so when it came."""

    @property
    def digest(self) -> str:
        """Two requests of one number have one input."""
        return f"{self.number:064x}"

    @property
    def told(self) -> Told:
        """What its caller told the flags."""
        properties = {"region": self.region} if self.region else {}
        return Told(user_id=self.user, session_id=self.session, properties=properties)

    @property
    def facts(self) -> RequestFacts:
        """What flags are told of it."""
        return RequestFacts(
            model=MODEL, tenant=str(TENANT), caller=str(UUID(int=5)), sticky_key=self.digest, now_us=self.at_us,
            user_id=self.user, session_id=self.session, properties=self.told.properties,
        )  # fmt: skip


class World(msgspec.Struct, frozen=True, kw_only=True):
    """The flags and the plan under which requests are answered."""

    flags: FoldedFlags
    plan: ModelPlan

    def answer(self, request: Request) -> tuple[FlagView, Decision, Settled]:
        """What engine, `decide` and `settle` make of a request."""
        view = NOTHING_LOADED if request.gate == "flags_unknown" else self.flags.view(request.facts)
        question = Question(
            model=self.plan, flags=view, flags_age_s=1e9 if request.gate == "flags_stale" else 0.0,
            asked=Asked(review=request.asked), may_pin=False, input_digest=request.digest, now_us=NOW_US,
        )  # fmt: skip
        decision = decide(question)
        return view, decision, settle(decision, _run(request))


def recorded(world: World, requests: Sequence[Request], **changes: Any) -> list[Decided]:
    """The entries that a gateway would write while it answers under this world."""
    return [_entry(world, request, place, **changes) for place, request in enumerate(requests)]


def chunk_of(entries: Sequence[Decided], fields: Sequence[str] = (), keep: float = 1.0) -> Chunk | None:
    """The entries as columns; None where nothing was kept of them."""
    wanted = Wanted(
        tenant=str(TENANT), model=MODEL, since_us=0, until_us=1 << 62, keep=keep, fields=tuple(fields)
    )  # fmt: skip
    found = [Frame(place, place + 1, encode(entry)) for place, entry in enumerate(entries)]
    chunks = list(open_chunks("segment", found, wanted))
    return chunks[0] if chunks else None


def _run(request: Request) -> Run:
    count = len(request.scores)
    probabilities = np.zeros((count, len(CLASSES)))
    for place, (answer, score) in enumerate(zip(request.answers, request.scores, strict=True)):
        probabilities[place, CLASSES.index(answer) if answer in CLASSES else 0] = score
    return Run(
        inputs={"amount": np.array(request.amounts)},
        outputs={"label": np.array(request.answers, dtype=object), "probabilities": probabilities},
        items=count,
        draws=[0.5] * count,
    )


def _entry(world: World, request: Request, place: int, **changes: Any) -> Decided:
    view, decision, settled = world.answer(request)
    items = tuple(
        ItemFacts(
            score=item.score, held=item.held, rule=item.rule, audited=item.audited,
            audit_probability=item.audit_probability, answer=item.answer, unfit=item.unfit,
        )
        for item in settled.items
    )  # fmt: skip
    stickiness, sticky_field = sticky_key(request.told)
    flags = FlagFacts(
        state=view.state, evaluated_us=request.at_us, stickiness=stickiness, sticky_field=sticky_field,
        context=tuple(ContextField(*field) for field in kept_fields(request.told, view.fields)),
        unread=unread_fields(request.told, view.fields),
    )  # fmt: skip
    values = {
        "at_us": request.at_us, "process": "test", "prediction": UUID(int=(7 << 76) + (2 << 62) + place),
        "tenant": TENANT, "model": MODEL, "release": decision.release.name, "path": settled.path,
        "decided_path": decision.path, "rule": settled.rule, "decided_rule": decision.rule, "public_rule": "x",
        "api_key": UUID(int=5), "input_digest": request.digest, "output_digest": "0" * 64, "asked": request.asked,
        "flags": flags, "items": items,
    }  # fmt: skip
    return Decided(**(values | changes))
