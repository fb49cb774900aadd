"""What a caller may be told about a prediction now, derived from the rows of one session. Pure. It never goes back.

The first row that holds wins, over all held items; an outcome counts once it is released, and for good:

| kind | when | told |
|---|---|---|
| `gone` | erased, cancelled or past retention | 410 |
| `settled` | every held item has an outcome that was ever released | 200 with the highest-ranked released ones |
| `unanswerable` | the same, and the one of some item says that no answer is right | 422 |
| `held` | some held item is still with people | 202 |
| `given_up` | a lead could not tell either, or it expired | the fallback; 422 where nobody could tell |
| `automated` | no item was ever held and none has an outcome | 200 with the model's own answer |

`revising` is true while an item with a released outcome is with people again. A held item that expired and was reopened
keeps its fallback until an outcome is released, if that fallback was an answer: a URL that has said 200 or 422 never
says 202 again.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from gateway.holding.ranking import truth_among
from gateway.holding.seen import CaseSeen, OutcomeSeen, Seen

Kind = Literal["gone", "settled", "unanswerable", "held", "given_up", "automated"]
GoneWhy = Literal["erased", "cancelled", "past retention", "answered without capture"]
"""The last one of predictions that only the traffic log has: the policy's `capture` kept nothing of what was said."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's view."""

    kind: Kind
    outcomes: Mapping[int, OutcomeSeen] = {}
    """The true one of the released revisions, by item."""
    revising: bool = False
    cannot_tell: bool = False
    """For `given_up`: whether a lead could not tell either."""
    gone_why: GoneWhy = "erased"
    reopens_us: int | None = None
    """For `held`: when the last missing outcome is released, if people have settled everything."""

    @property
    def outcome_revision(self) -> int | None:
        """The sum of the revisions that are told; None where no outcome is told."""
        told = self.kind in ("settled", "unanswerable", "automated")
        return sum(outcome.revision for outcome in self.outcomes.values()) or None if told else None


def truth_of(seen: Seen, *, fallback_is_answer: bool = False) -> Truth:
    """The truth in these rows; `fallback_is_answer` says whether the declared fallback is a 200."""
    if gone := _gone_why(seen):
        return Truth(kind="gone", gone_why=gone)
    outcomes = truths_at(seen.outcomes, seen.now_us)
    holds = [case for case in seen.cases if case.kind == "hold"]
    missing = [case for case in holds if case.item not in outcomes]
    if missing:
        return _undecided(seen, missing, outcomes, fallback_is_answer)
    if any(outcome.status == "unanswerable" for outcome in outcomes.values()):
        return Truth(kind="unanswerable", outcomes=outcomes, revising=_revising(seen, outcomes))
    if not outcomes and not holds:
        return Truth(kind="automated")
    return Truth(kind="settled", outcomes=outcomes, revising=_revising(seen, outcomes))


def _undecided(
    seen: Seen, missing: list[CaseSeen], outcomes: Mapping[int, OutcomeSeen], fallback_is_answer: bool
) -> Truth:
    cannot_tell = any(case.closed_reason == "cannot_tell" for case in missing)
    waiting = [case for case in missing if case.with_people or case.state == "settled"]
    kept = fallback_is_answer and all(_had_expired(seen, case) for case in waiting)
    if not waiting or cannot_tell or kept:
        return Truth(kind="given_up", outcomes=outcomes, cannot_tell=cannot_tell, revising=bool(waiting))
    return Truth(kind="held", outcomes=outcomes, reopens_us=_last_release(seen, missing))


def _gone_why(seen: Seen) -> GoneWhy | None:
    closed = {case.closed_reason for case in seen.cases if case.kind == "hold"}
    if seen.erased or "erased" in closed:
        return "erased"
    if seen.cancelled or "cancelled" in closed:
        return "cancelled"
    return "past retention" if seen.past_retention else None


def truths_at(outcomes: Iterable[OutcomeSeen], at_us: int) -> dict[int, OutcomeSeen]:
    """What was true of each item at a moment, by what had been released and undone by then."""
    known: dict[int, list[OutcomeSeen]] = {}
    for outcome in outcomes:
        if outcome.released(at_us):
            known.setdefault(outcome.item, []).append(_as_of(outcome, at_us))
    return {item: truth for item, revisions in known.items() if (truth := truth_among(revisions)) is not None}


def _as_of(outcome: OutcomeSeen, at_us: int) -> OutcomeSeen:
    """The outcome as it was at a moment, when its round may not have been undone yet."""
    later = outcome.undone_us is not None and outcome.undone_us > at_us
    return msgspec.structs.replace(outcome, undone_us=None) if later else outcome


def _revising(seen: Seen, outcomes: Mapping[int, OutcomeSeen]) -> bool:
    return any(case.with_people and case.item in outcomes and case.round > 1 for case in seen.cases)


def _had_expired(seen: Seen, case: CaseSeen) -> bool:
    """Whether an earlier round of the case ended without an outcome: only expiry and reopening do that."""
    rounds = {outcome.round for outcome in seen.outcomes if outcome.case_id == case.id}
    return any(number not in rounds for number in range(1, case.round))


def _last_release(seen: Seen, missing: Iterable[CaseSeen]) -> int | None:
    """When the last of the missing items is released; None while one of them has no outcome to come."""
    moments = []
    for case in missing:
        coming = [o.release_after_us for o in seen.outcomes if o.item == case.item and not o.never_released]
        if case.state != "settled" or not coming:
            return None
        moments.append(min(coming))
    return max(moments, default=None)
