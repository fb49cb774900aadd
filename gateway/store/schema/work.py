"""People's work: queues, cases, claims, verdicts, outcomes."""

from typing import Literal

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import IMMUTABLE, Id, Json, Micros, Table, unique_where

CaseKind = Literal["hold", "audit", "disagreement", "report", "drift"]
CaseState = Literal["open", "claimed", "partial", "adjudicating", "settled", "expired", "closed"]
ClosedReason = Literal["cancelled", "cannot_tell", "superseded", "erased"]
VerdictKind = Literal["approve", "correct", "unanswerable", "cannot_tell", "escalate"]
OutcomeStatus = Literal["answered", "unanswerable"]

LIVE = "ended_us IS NULL"
"""The condition under which a claim has not ended."""
IN_LINE = "state IN ('open', 'claimed', 'partial')"
"""The condition under which a case may be claimed; a query must write it out so to use the index of the line."""
DIFFERS = "kind = 'disagreement'"
"""The condition under which a case is about two releases that differ; a query must write it out, too."""


class QueueRow(Table):
    """A line of cases; its rules are in its latest revision."""

    __tablename__ = "queue"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    name: Mapped[str] = mapped_column(String(63))
    model_id: Mapped[Id | None] = mapped_column(ForeignKey("model.id"))
    """The model whose cases come here; none for a queue that takes what no other queue takes."""
    created_us: Mapped[Micros]


class QueueRevisionRow(Table):
    """The rules of a queue from a moment on; a case keeps the revision it was opened under."""

    __tablename__ = "queue_revision"
    __table_args__ = (UniqueConstraint("queue_id", "revision"), {"info": IMMUTABLE})

    id: Mapped[Id] = mapped_column(primary_key=True)
    queue_id: Mapped[Id] = mapped_column(ForeignKey("queue.id"))
    revision: Mapped[int]
    agreement: Mapped[Literal["single", "majority", "unanimous"]]
    k: Mapped[int]
    """How many people may judge a case in one round."""
    required: Mapped[int]
    """How many equal verdicts decide it."""
    deadline_s: Mapped[float]
    blind_share: Mapped[float]
    lease_s: Mapped[float]
    undo_grace_s: Mapped[float]
    rationale: Mapped[Literal["never", "on_correction", "always"]]
    capacity: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str | None] = mapped_column(Text)
    created_us: Mapped[Micros]


class QueueMemberRow(Table):
    """A person who may claim from a queue."""

    __tablename__ = "queue_member"

    queue_id: Mapped[Id] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"), primary_key=True)
    created_us: Mapped[Micros]


class CaseRow(Table):
    """One item put before people."""

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("prediction_id", "item", "kind"),
        Index("ix_case_next", "queue_id", "state", "priority", "due_us", "id"),
        Index("ix_case_due", "state", "due_us"),
        # The next case of a queue, whatever its state, without sorting: `state IN` would need a sort over 100,000 rows.
        Index("ix_case_line", "queue_id", "priority", "due_us", "id", sqlite_where=text(IN_LINE),
              postgresql_where=text(IN_LINE)),
        Index("ix_case_disagreement", "rule", sqlite_where=text(DIFFERS), postgresql_where=text(DIFFERS)),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    prediction_id: Mapped[Id] = mapped_column(ForeignKey("prediction.id"))
    item: Mapped[int]
    """From 1 to n along the batch axis."""
    kind: Mapped[CaseKind]
    queue_id: Mapped[Id] = mapped_column(ForeignKey("queue.id"))
    queue_revision_id: Mapped[Id] = mapped_column(ForeignKey("queue_revision.id"))
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    other_release_id: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))
    rule: Mapped[str] = mapped_column(String(63))
    evidence: Mapped[Json]
    """The rule's numbers, such as `{"score": 0.41, "hold_below": 0.6}`."""
    answer: Mapped[Json | None]
    """The model's answer for this item, in the terms of the label schema."""
    score: Mapped[float | None]
    inclusion_probability: Mapped[float | None]
    draw: Mapped[float | None]
    blind: Mapped[bool]
    priority: Mapped[int]
    """Smaller comes first: 0 escalated, 10 somebody waits, 20 held, 30 report, 40 disagreement, 50 audit, 60 drift."""
    state: Mapped[CaseState]
    round: Mapped[int]
    version: Mapped[int]
    next_token: Mapped[int]
    due_us: Mapped[Micros]
    caller_waiting: Mapped[bool]
    caller_withdrew: Mapped[bool] = mapped_column(default=False)
    closed_reason: Mapped[ClosedReason | None]
    created_us: Mapped[Micros]
    changed_us: Mapped[Micros]


class ClaimRow(Table):
    """A reviewer's lease on a slot of a case; one live a slot and a person."""

    __tablename__ = "claim"
    __table_args__ = (
        unique_where("uq_claim_live_slot", LIVE, "case_id", "round", "slot"),
        unique_where("uq_claim_live_person", LIVE, "case_id", "person_id"),
        UniqueConstraint("case_id", "token"),
        Index("ix_claim_expiry", "expires_us", sqlite_where=text(LIVE), postgresql_where=text(LIVE)),
        Index("ix_claim_live_of", "person_id", sqlite_where=text(LIVE), postgresql_where=text(LIVE)),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"))
    round: Mapped[int]
    slot: Mapped[int]
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"))
    token: Mapped[int]
    """The fencing token: the case's next number when the claim was made."""
    claimed_us: Mapped[Micros]
    expires_us: Mapped[Micros]
    ended_us: Mapped[Micros | None]
    ended_why: Mapped[Literal["verdict", "returned", "expired", "decided", "closed"] | None]


class VerdictRow(Table):
    """One reviewer's judgement."""

    __tablename__ = "verdict"
    __table_args__ = (
        UniqueConstraint("person_id", "post_key"),
        Index("ix_verdict_case", "case_id", "round", "person_id"),
        Index("ix_verdict_person", "person_id", "created_us"),
        {"info": IMMUTABLE},
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"))
    round: Mapped[int]
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"))
    claim_id: Mapped[Id] = mapped_column(ForeignKey("claim.id"), unique=True)
    kind: Mapped[VerdictKind]
    answer: Mapped[Json | None]
    reason_code: Mapped[str] = mapped_column(String(63))
    rationale: Mapped[str | None] = mapped_column(Text)
    shown: Mapped[Json]
    """What the reviewer saw: the answer or that it was blind, and for two answers their order."""
    guideline: Mapped[str] = mapped_column(String(64))
    active_s: Mapped[float]
    adjudicated: Mapped[bool]
    """True for a lead's verdict on an adjudicating case."""
    only_lead: Mapped[bool]
    """True when the lead had judged this case before and no other lead was there."""
    undoes_id: Mapped[Id | None] = mapped_column(ForeignKey("verdict.id"))
    post_key: Mapped[str] = mapped_column(String(64))
    created_us: Mapped[Micros]


class DraftRow(Table):
    """A verdict that came too late or is not finished, kept for its author."""

    __tablename__ = "draft"

    case_id: Mapped[Id] = mapped_column(ForeignKey("case.id"), primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"), primary_key=True)
    body: Mapped[Json]
    why: Mapped[str] = mapped_column(String(63))
    saved_us: Mapped[Micros]


class OutcomeRow(Table):
    """The settled answer of an item, in dense revisions."""

    __tablename__ = "outcome"
    __table_args__ = (
        Index("ix_outcome_case", "case_id"),
        # The library of corrections, the newest first, page after page.
        Index("ix_outcome_newest", "created_us", "prediction_id", "item", "revision"),
        {"info": IMMUTABLE},
    )

    prediction_id: Mapped[Id] = mapped_column(ForeignKey("prediction.id"), primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[Id | None] = mapped_column(ForeignKey("case.id"))
    round: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(80))
    """`people`, `adjudication` or `truth:NAME`."""
    status: Mapped[OutcomeStatus]
    answer: Mapped[Json | None]
    differs: Mapped[bool | None]
    """Whether it differs from the model's answer, as the label schema defines that."""
    release_after_us: Mapped[Micros]
    supersedes: Mapped[int | None]
    created_us: Mapped[Micros]


class OutcomeUndoneRow(Table):
    """An outcome whose round was undone; one undone before its release is never told to anybody."""

    __tablename__ = "outcome_undone"
    __table_args__ = (
        ForeignKeyConstraint(
            ["prediction_id", "item", "revision"], ["outcome.prediction_id", "outcome.item", "outcome.revision"]
        ),
        {"info": IMMUTABLE},
    )

    prediction_id: Mapped[Id] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    released: Mapped[bool]
    """Whether it had been released by then; if not, it never is."""
    undone_us: Mapped[Micros]


class OutcomeVerdictRow(Table):
    """A verdict that an outcome rests on."""

    __tablename__ = "outcome_verdict"
    __table_args__ = {"info": IMMUTABLE}

    prediction_id: Mapped[Id] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    verdict_id: Mapped[Id] = mapped_column(ForeignKey("verdict.id"), primary_key=True)
