"""The story of a prediction: what came in, how it was decided, who judged it, and what its caller was told when.

It is put together from the traffic log, which has every prediction, and the ledger, which has those that needed people.
The log may have been read before the entry was there, or be gone after its retention; the ledger may never have heard
of a prediction. A story says what is known, and only one that neither of them knows is unknown.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.decision import public_rule
from gateway.holding.payload import Answered, InputPayload, decode_answered, decode_input
from gateway.labels import Answer
from gateway.record.entries import Decided, Delivered, FlagFact, FlagFacts, ItemFacts
from gateway.record.errors import DamagedObject, ObjectsUnavailable, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.record.reader import Recorded, unfold
from gateway.store.keys import find_key
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.serving import release_plan
from review.errors import ReviewError
from review.logged import answered_of, tensors_of
from review.store.stories import (
    CaseTold,
    Head,
    OutcomeTold,
    Telling,
    cases_told,
    head_of,
    outcomes_told,
    release_named,
    tellings,
)
from review.traffic.query import TrafficReader


class UnknownPrediction(ReviewError):
    """There is no prediction with this id here, or it is past its retention."""

    status = 404
    code = "unknown-prediction"


class ItemStory(msgspec.Struct, frozen=True, kw_only=True):
    """One item: what the model said, why it was held or not, who judged it and what came of it."""

    item: int
    answer: Answer | None
    """The model's answer, where it was kept."""
    score: float | None
    held: bool
    rule: str
    evidence: dict[str, float | str]
    audit_probability: float | None
    cases: tuple[CaseTold, ...]
    outcomes: tuple[OutcomeTold, ...]


class PredictionStory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known about a prediction."""

    id: UUID
    model: str
    release: str
    """Such as `sentiment@7`."""
    release_id: UUID | None
    caller: str
    """The name of the caller's key."""
    request_id: str | None
    decided_us: int
    decided_path: str
    decided_rule: str
    path: str
    rule: str
    """The rule that made `path`; settling may have turned the path into review after it was decided."""
    public_rule: str
    """The name of the rule that the caller was told."""
    flag_state: str | None
    flag_revision: int | None
    """What the source of the flags called that state then; none where that is not known any more."""
    """The digest of the flag state it was decided under."""
    flags: tuple[FlagFact, ...]
    """What the flags said; empty where the log has no entry any more."""
    context: dict[str, str]
    """What the caller told and the flags read; what it told beside that is not kept."""
    unread: tuple[str, ...]
    """What else the caller told, by name alone."""
    sticks_to: str
    """What a rollout sticks to by default: a user, a session or the digest of the input."""
    item_count: int
    items: tuple[ItemStory, ...]
    tellings: tuple[Telling, ...]
    input_digest: str
    input_sha256: str | None
    """The digest of the payload object with what came in; None where it was not kept or was erased."""
    cancelled_us: int | None
    logged: bool
    """Whether the traffic log has its entry."""


async def tell_story(
    ledger: Ledger, traffic: TrafficReader, objects: ObjectStore, tenant_id: UUID, prediction_id: UUID
) -> PredictionStory:
    """The story of a tenant's prediction. Raises: UnknownPrediction."""
    entries = await _entries(traffic, objects, tenant_id, prediction_id)
    decided = next((entry for entry in entries if isinstance(entry, Decided)), None)
    async with ledger.reading() as r:
        head = await head_of(r, tenant_id, prediction_id)
        if head is not None:
            return await _held(r, prediction_id, head, decided, await _said(objects, head.output_sha256))
        if decided is None:
            raise UnknownPrediction
        said = await _said(objects, _object(decided, "output"))
        delivered = [entry for entry in entries if isinstance(entry, Delivered)]
        return await _automated(r, tenant_id, decided, said, delivered)


async def read_input(
    traffic: TrafficReader, objects: ObjectStore, tenant_id: UUID, story: PredictionStory
) -> InputPayload | None:
    """What came in, from its payload object or from the log's entry; None where it was not kept or was erased."""
    if story.input_sha256 is not None:
        try:
            return decode_input(await objects.get(story.input_sha256))
        except (UnknownObject, DamagedObject, ObjectsUnavailable, msgspec.MsgspecError):
            return None
    entries = await _entries(traffic, objects, tenant_id, story.id)
    kept = next((entry.inputs for entry in entries if isinstance(entry, Decided)), ())
    return InputPayload(inputs=tensors_of(kept)) if kept else None


async def _entries(
    traffic: TrafficReader, objects: ObjectStore, tenant_id: UUID, prediction_id: UUID
) -> list[Decided | Delivered]:
    """The log's entries about a prediction, whole where their objects are still there."""
    found = await traffic.find(prediction_id)
    mine = [recorded for recorded in found if recorded.entry.tenant == tenant_id]
    whole = [await _whole(recorded, objects) for recorded in mine]
    return [entry for entry in whole if isinstance(entry, Decided | Delivered)]


async def _whole(recorded: Recorded, objects: ObjectStore) -> object:
    try:
        return await unfold(recorded.entry, objects)
    except (UnknownObject, DamagedObject, ObjectsUnavailable):
        return recorded.entry


async def _said(objects: ObjectStore, sha256: str | None) -> Answered | None:
    """What the model said, where it was kept."""
    try:
        return decode_answered(await objects.get(sha256)) if sha256 is not None else None
    except (UnknownObject, DamagedObject, ObjectsUnavailable, msgspec.MsgspecError):
        return None


async def _held(
    r: ReadSession, prediction_id: UUID, head: Head, decided: Decided | None, said: Answered | None
) -> PredictionStory:
    """The story of a prediction that the ledger has, with the log's facts where there are any."""
    cases, outcomes = await cases_told(r, prediction_id), await outcomes_told(r, prediction_id)
    facts = decided.items if decided is not None else ()
    asked = decided.flags if decided is not None else FlagFacts()
    return PredictionStory(
        id=prediction_id,
        model=head.model,
        release=f"{head.model}@{head.release_number}",
        release_id=head.release_id,
        caller=head.caller,
        request_id=head.request_id,
        decided_us=head.created_us,
        decided_path=head.decided_path,
        decided_rule=head.decided_rule,
        path=head.path,
        rule=head.rule,
        public_rule=public_rule(head.rule),
        flag_state=head.flag_state,
        flag_revision=asked.revision or None,
        flags=asked.answers,
        context=_context(asked),
        unread=asked.unread,
        sticks_to=asked.stickiness or head.input_digest,
        item_count=head.items,
        items=tuple(_item(n, facts, cases, outcomes, said) for n in range(1, head.items + 1)),
        tellings=tuple(await tellings(r, prediction_id)),
        input_digest=head.input_digest,
        input_sha256=head.input_sha256,
        cancelled_us=head.cancelled_us,
        logged=decided is not None,
    )


async def _automated(
    r: ReadSession, tenant_id: UUID, decided: Decided, said: Answered | None, delivered: Sequence[Delivered]
) -> PredictionStory:
    """The story of a prediction that only the log has: nobody was asked."""
    key = await find_key(r, tenant_id, decided.api_key)
    release_id = await release_named(r, tenant_id, decided.release)
    if said is None and decided.outputs and release_id is not None:
        release = await release_plan(r, decided.model, release_id)
        said = answered_of(decided, release, tensors_of(decided.outputs))
    count = decided.item_count
    return PredictionStory(
        id=decided.prediction,
        model=decided.model,
        release=decided.release,
        release_id=release_id,
        caller=key.name if key is not None else str(decided.api_key),
        request_id=decided.request_id,
        decided_us=decided.at_us,
        decided_path=decided.decided_path,
        decided_rule=decided.decided_rule,
        path=decided.path,
        rule=decided.rule,
        public_rule=decided.public_rule,
        flag_state=decided.flags.state,
        flag_revision=decided.flags.revision or None,
        flags=decided.flags.answers,
        context=_context(decided.flags),
        unread=decided.flags.unread,
        sticks_to=decided.flags.stickiness or decided.input_digest,
        item_count=count,
        items=tuple(_item(n, decided.items, (), (), said) for n in range(1, count + 1)),
        tellings=tuple(_telling(entry) for entry in delivered),
        input_digest=decided.input_digest,
        input_sha256=_object(decided, "input"),
        cancelled_us=None,
        logged=True,
    )


def _context(facts: FlagFacts) -> dict[str, str]:
    return {field.name: field.value for field in facts.context}


def _item(
    n: int,
    facts: Sequence[ItemFacts],
    cases: Sequence[CaseTold],
    outcomes: Sequence[OutcomeTold],
    said: Answered | None,
) -> ItemStory:
    """Item `n`: the log's facts about it, or those of its first case where the log has none."""
    mine = tuple(case for case in cases if case.item == n)
    fact = facts[n - 1] if n <= len(facts) else None
    first = mine[0] if mine else None
    answer = first.answer if first is not None else said.answers[n - 1] if said is not None else None
    return ItemStory(
        item=n,
        answer=answer,
        score=fact.score if fact is not None else first.score if first is not None else None,
        held=fact.held if fact is not None else any(case.kind == "hold" for case in mine),
        rule=fact.rule if fact is not None else first.rule if first is not None else "",
        evidence=_evidence(fact, first),
        audit_probability=fact.audit_probability if fact is not None else None,
        cases=mine,
        outcomes=tuple(outcome for outcome in outcomes if outcome.item == n),
    )


def _evidence(fact: ItemFacts | None, first: CaseTold | None) -> dict[str, float | str]:
    if first is not None:
        return first.evidence
    return {one.name: one.value for one in fact.evidence} if fact is not None else {}


def _telling(entry: Delivered) -> Telling:
    return Telling(n=entry.n, kind=entry.delivery, outcome_revision=entry.outcome_revision, delivered_us=entry.at_us)


def _object(decided: Decided, role: str) -> str | None:
    """The digest of the entry's payload object in a role, if it was captured."""
    return next((one.sha256 for one in decided.objects if one.role == role), None)
