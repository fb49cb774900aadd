"""What the ledger says about a prediction at one moment: the rows from which the caller's view is derived. Pure."""

from typing import Literal
from uuid import UUID

import msgspec

from gateway.labels import Answer

CaseKind = Literal["hold", "audit", "disagreement", "report", "drift"]
CaseState = Literal["open", "claimed", "partial", "adjudicating", "settled", "expired", "closed"]
ClosedReason = Literal["cancelled", "cannot_tell", "superseded", "erased"]
OutcomeStatus = Literal["answered", "unanswerable"]
DeliveryKind = Literal["answer", "provisional", "fallback", "refusal", "held"]

WITH_PEOPLE = frozenset({"open", "claimed", "partial", "adjudicating"})
ANSWERS = frozenset({"answer", "provisional", "fallback"})


class CaseSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A case of the prediction."""

    id: UUID
    item: int
    kind: CaseKind
    state: CaseState
    round: int
    closed_reason: ClosedReason | None

    @property
    def with_people(self) -> bool:
        """Whether people may still settle it."""
        return self.state in WITH_PEOPLE


class OutcomeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of an item's outcome; one that was undone before its release never counts."""

    item: int
    revision: int
    case_id: UUID | None
    round: int | None
    status: OutcomeStatus
    answer: Answer | None
    differs: bool | None
    release_after_us: int
    never_released: bool
    """Whether it was undone before its release."""
    source: str = "people"
    """Either `people`, `adjudication` or `truth:NAME`."""
    verdicts: int = 1
    """On how many verdicts it rests."""
    undone_us: int | None = None
    """When its round was undone, if it was."""

    @property
    def undone(self) -> bool:
        """Whether its round was undone."""
        return self.undone_us is not None

    def released(self, now_us: int) -> bool:
        """Whether it may be told by now."""
        return not self.never_released and self.release_after_us <= now_us


class DeliverySeen(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller was told."""

    n: int
    kind: DeliveryKind
    outcome_revision: int | None
    """The sum of the told revisions; none where no outcome was told."""

    @property
    def answered(self) -> bool:
        """Whether it was an answer: tensors, or that no answer is right."""
        return self.kind in ANSWERS or self.outcome_revision is not None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One view of a prediction; all rows come from one session."""

    now_us: int
    """The database's clock."""
    cases: tuple[CaseSeen, ...] = ()
    outcomes: tuple[OutcomeSeen, ...] = ()
    """By item and revision."""
    deliveries: tuple[DeliverySeen, ...] = ()
    """By n."""
    cancelled: bool = False
    erased: bool = False
    past_retention: bool = False

    @property
    def last_n(self) -> int:
        """The number of the last delivery; 0 before the first."""
        return self.deliveries[-1].n if self.deliveries else 0
