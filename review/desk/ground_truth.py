"""Ground truth: an outcome that a service learned by itself becomes an item's next revision, and a lead hears of a
conflict with people.

It never becomes a precedent, and it needs no verdict: an input is answered from precedents only after a person has
judged it.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.decision import SettledItem
from gateway.holding.later import open_missing, subject_of
from gateway.holding.payload import Answered
from gateway.holding.ranking import TRUTH_PREFIX, truth_among
from gateway.holding.seen import OutcomeSeen
from gateway.labels import Answer
from gateway.store.events import append_event
from gateway.store.ledger import WriteSession
from gateway.store.outcomes import outcomes_seen
from review.desk.life import IN_LINE
from review.desk.revising import Told, tell_revision
from review.desk.settle import end_other_claims
from review.desk.transition import advance
from review.store.cases import Case, cases_of, lock_case, lock_free_cases
from review.store.outcomes import Outcome, insert_outcome, known_truth, lock_prediction

RULE = "truth_conflict"
"""The rule of a case about a ground truth that contradicts people."""
NO_ANSWER = "no answer is right"


class GroundTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says is right about one item of a prediction."""

    said: Answered
    item: int
    answer: Answer
    """One of the release's label schema."""
    source: str
    tenant_id: UUID
    by: str

    @property
    def stored_source(self) -> str:
        """The outcome's source."""
        return TRUTH_PREFIX + self.source


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a ground truth."""

    revision: int
    known: bool = False
    """Whether this source had said so already, and nothing was recorded."""
    truth: bool
    """Whether it is what is true of the item now."""
    conflict: bool = False
    case_id: UUID | None = None


async def record_ground_truth(w: WriteSession, arrived: GroundTruth) -> Arrival:
    """Record the next revision with its event, `prediction.revised` if it contradicts what was told, and a case for a
    lead if it contradicts people. The prediction's rows must be there."""
    said = arrived.said
    reported = await _lock_report(w, said.prediction_id, arrived.item)  # a case is locked before its prediction
    prediction = await lock_prediction(w, said.prediction_id)
    seen = (await outcomes_seen(w, [said.prediction_id])).get(said.prediction_id, [])
    mine = [one for one in seen if one.item == arrived.item]
    if (known := _said_before(mine, arrived)) is not None:
        truth = truth_among(one for one in mine if not one.never_released)
        return Arrival(revision=known.revision, known=True, truth=truth is known)
    outcome = await _record(w, arrived, mine)
    told = Told(
        prediction=prediction,
        tenant_id=arrived.tenant_id,
        answer=said.instead.get(arrived.item, said.answers[arrived.item - 1]),
        schema=said.labels,
        policy=said.policy,
    )
    await tell_revision(w, told, outcome, by=arrived.by)
    people = _people(mine)
    conflict = people is not None and said.labels.differs(people.answer, arrived.answer)
    truth = await known_truth(w, said.prediction_id, arrived.item)
    return Arrival(
        revision=outcome.revision,
        truth=truth is not None and truth.revision == outcome.revision,
        conflict=conflict,
        case_id=await _to_a_lead(w, arrived, people, reported) if people is not None and conflict else None,
    )


def _said_before(mine: Sequence[OutcomeSeen], arrived: GroundTruth) -> OutcomeSeen | None:
    """The latest revision of this source, if it says the same."""
    latest = next((one for one in reversed(mine) if one.source == arrived.stored_source), None)
    if latest is None or arrived.said.labels.differs(latest.answer, arrived.answer):
        return None
    return latest


def _people(mine: Sequence[OutcomeSeen]) -> OutcomeSeen | None:
    """What people say about the item, if they stand by something."""
    standing = [one for one in mine if not one.undone and not one.source.startswith(TRUTH_PREFIX)]
    return truth_among(standing)


async def _record(w: WriteSession, arrived: GroundTruth, mine: Sequence[OutcomeSeen]) -> Outcome:
    now_us = await w.now_us()
    last = mine[-1].revision if mine else 0
    outcome = Outcome(
        prediction_id=arrived.said.prediction_id,
        item=arrived.item,
        revision=last + 1,
        case_id=None,
        round=None,
        source=arrived.stored_source,
        status="answered",
        answer=arrived.answer,
        differs=arrived.said.labels.differs(arrived.said.answers[arrived.item - 1], arrived.answer),
        release_after_us=now_us,
        supersedes=last or None,
        created_us=now_us,
    )
    await insert_outcome(w, outcome, ())
    data = {"item": outcome.item, "revision": outcome.revision, "source": outcome.source, "differs": outcome.differs}
    await append_event(
        w, "outcome.recorded", f"prediction:{outcome.prediction_id}", data,
        by=arrived.by, tenant_id=arrived.tenant_id, at_us=now_us,
    )  # fmt: skip
    return outcome


async def _to_a_lead(w: WriteSession, arrived: GroundTruth, people: OutcomeSeen, reported: Case | None) -> UUID | None:
    """The case of kind `report` about the item, before a lead unless it is decided: only a lead outranks a truth.

    A new one shows both answers; the one that there is already keeps what was reported.
    """
    subject = await subject_of(w, arrived.said.prediction_id)
    if subject is None:
        return None
    now_us = await w.now_us()
    opened = await open_missing(w, subject, [_contradicted(arrived, people)], "report", by=arrived.by, now_us=now_us)
    case = reported or next(iter(await lock_free_cases(w, opened)), None)
    if case is None:
        return await _report_about(w, arrived.said.prediction_id, arrived.item)
    if case.state in IN_LINE:
        await end_other_claims(w, case, now_us)
        await advance(w, case, "escalate", by=arrived.by, at_us=now_us)
    return case.id


def _contradicted(arrived: GroundTruth, people: OutcomeSeen) -> SettledItem:
    """The item with both answers in the place of a rule's numbers."""
    said = NO_ANSWER if people.answer is None else people.answer
    return SettledItem(
        item=arrived.item,
        held=False,
        rule=RULE,
        evidence={
            "truth": arrived.answer,
            "truth_source": arrived.source,
            "people": said,
            "people_source": people.source,
            "people_revision": float(people.revision),
        },
        answer=arrived.said.answers[arrived.item - 1],
        score=None,
    )


async def _lock_report(w: WriteSession, prediction_id: UUID, item: int) -> Case | None:
    found = await _report_about(w, prediction_id, item)
    return await lock_case(w, found) if found is not None else None


async def _report_about(w: WriteSession, prediction_id: UUID, item: int) -> UUID | None:
    reports = (case.id for case in await cases_of(w, prediction_id) if (case.kind, case.item) == ("report", item))
    return next(reports, None)
