"""Entries as the express way writes them: cast in its moulds."""

from typing import Any
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from gateway.decision import Decision
from gateway.express.moulds import EntryMould, ShadowMould, Varying, VaryingShadow, item_of
from gateway.express.reading import PlainInput
from gateway.ids import new_id
from gateway.record.entries import FlagFact, FlagFacts
from gateway.times import now_us
from tests.plans import make_model, make_release
from tests.unit.record.samples import API_KEY, DIGEST, TENANT

TENSOR = PlainInput("x", "FP32", (1, 2), bytes(8))
MODEL = make_model(candidate=make_release(2))
TRIAL = MODEL.trial
assert TRIAL is not None
DECISION = Decision(
    release=MODEL.champion, path="automated", rule="automated", by="model", policy=MODEL.champion.policy
)  # fmt: skip
BESIDE = replace(DECISION, path="shadow", shadow_release=TRIAL.candidate)
FLAGS = FlagFacts(state=DIGEST, answers=(FlagFact(name="automated", enabled=True, reason="on"),), revision=3)


def plain(
    *, decision: Decision = DECISION, flags: FlagFacts = FLAGS, items: int = 1, request_id: str | None = None
) -> bytes:
    """A plain entry."""
    at_us = now_us()
    mould = EntryMould(TENANT, "sentiment", "gateway-1", decision, flags)
    found = tuple(item_of("positive", 0.5 + n / 1000, "confident", 0.01, 0.42) for n in range(items))
    return mould.cast(
        Varying(
            at_us=at_us,
            prediction=new_id().bytes,
            api_key=API_KEY.bytes,
            input_digest="cd" * 32,
            output_digest=DIGEST,
            request_id=UNSET if request_id is None else request_id,
            items=found,
            inputs=(TENSOR,),
            outputs=(TENSOR,),
            stages=(11, 1, 2, 3, 20, 4),
        )
    )


def beside(prediction: UUID | None = None, **said: Any) -> bytes:
    """The entry about a run beside a plain answer."""
    assert TRIAL is not None
    mould = ShadowMould(TENANT, "sentiment", "gateway-1", BESIDE, TRIAL)
    found = {"status": "answered", "item_count": 2, "output_digest": DIGEST, "outputs": (TENSOR,), "run_us": 31} | said
    return mould.cast(VaryingShadow(at_us=now_us(), prediction=(prediction or new_id()).bytes, **found))
