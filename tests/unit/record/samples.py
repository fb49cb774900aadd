"""Entries to record, as a small sentiment model would make them."""

from uuid import UUID

from gateway.ids import new_id
from gateway.record.entries import (
    ContextField,
    Decided,
    Delivered,
    FlagFact,
    FlagFacts,
    Inclusion,
    InlineTensor,
    ItemFacts,
    Number,
    Path,
    Refused,
    Shadowed,
    StageTimes,
)
from gateway.times import now_us

TENANT = UUID("01990000-0000-7000-8000-000000000001")
API_KEY = UUID("01990000-0000-7000-8000-000000000002")
DIGEST = "ab" * 32


def item(*, held: bool = False, audited: bool = False) -> ItemFacts:
    """One item with all its numbers."""
    return ItemFacts(
        score=0.93,
        held=held,
        rule="below_threshold" if held else "confident",
        audited=audited,
        audit_probability=0.01,
        audit_draw=0.42,
        inclusion=(Inclusion("audit", 0.01),),
        evidence=(Number("threshold", 0.6),),
    )


def decided(
    *,
    at_us: int | None = None,
    prediction: UUID | None = None,
    tenant: UUID = TENANT,
    model: str = "sentiment",
    release: str = "sentiment@7",
    path: Path = "automated",
    rule: str = "automated",
    items: int = 1,
    request_id: str | None = "r-1",
    text: bytes = b"\x04\x00\x00\x00good",
) -> Decided:
    """A decided prediction; on the review path its first item is held."""
    return Decided(
        at_us=at_us or now_us(),
        process="gateway-1",
        prediction=prediction or new_id(),
        tenant=tenant,
        model=model,
        release=release,
        path=path,
        decided_path="automated",
        rule=rule,
        decided_rule="automated",
        public_rule="low_confidence" if path == "review" else "automated",
        api_key=API_KEY,
        input_digest=DIGEST,
        output_digest=DIGEST,
        request_id=request_id,
        flags=FlagFacts(
            state=DIGEST,
            evaluated_us=at_us or now_us(),
            stickiness="user-1",
            context=(ContextField("country", "NL"),),
            answers=(FlagFact(name="sentiment.automated", enabled=True, reason="strategy"),),
        ),
        items=tuple(item(held=path == "review" and n == 0) for n in range(items)),
        inputs=(InlineTensor(name="text", datatype="BYTES", shape=(items,), data=text),),
        stages=StageTimes(decode_us=11, run_us=20),
    )


def shadowed(prediction: UUID) -> Shadowed:
    """The candidate's run beside a prediction."""
    return Shadowed(
        at_us=now_us(),
        process="gateway-1",
        prediction=prediction,
        tenant=TENANT,
        model="sentiment",
        release="sentiment@7",
        shadow_release="sentiment@8",
        status="answered",
        differing=(1,),
        item_count=1,
        output_digest=DIGEST,
        run_us=31,
    )


def delivered(prediction: UUID) -> Delivered:
    """What the caller of a prediction was told."""
    return Delivered(
        at_us=now_us(),
        process="gateway-1",
        prediction=prediction,
        tenant=TENANT,
        model="sentiment",
        release="sentiment@7",
        delivery="answer",
        status=200,
        response_digest=DIGEST,
        outcome_revision=1,
        waited_us=31_000,
        review_status="corrected",
    )


def refused(*, tenant: UUID = TENANT, model: str = "sentiment", release: str = "sentiment@7") -> Refused:
    """A request of which the run failed."""
    return Refused(
        at_us=now_us(),
        process="gateway-1",
        prediction=new_id(),
        tenant=tenant,
        model=model,
        release=release,
        api_key=API_KEY,
        code="model-failed",
        status=500,
    )
