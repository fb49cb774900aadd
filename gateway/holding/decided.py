"""A prediction as the ledger keeps it: its payload objects, its rows, and the cases of its items."""

import asyncio
from hashlib import sha256
from math import isfinite
from uuid import UUID

import msgspec

from gateway.decision import PathName, SettledItem
from gateway.holding.held import HeldPrediction
from gateway.holding.payload import MEDIA_TYPE, Answered, InputPayload, answered, encode
from gateway.holding.seen import CaseKind
from gateway.holding.truth import GoneWhy
from gateway.plan import QueuePlan
from gateway.record.errors import ObjectsUnavailable
from gateway.record.objects import StoredObject
from gateway.record.payloads import ObjectStore
from gateway.store import predictions
from gateway.store.cases import NewCase
from gateway.store.ledger import WriteSession
from gateway.store.predictions import NewPrediction
from gateway.times import after_us

DAY_S = 86_400


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about."""

    prediction_id: UUID
    tenant_id: UUID
    model_id: UUID
    release_id: UUID
    queue: QueuePlan


class Unkept(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that was answered, and of which what was said is not kept: whose it was, and why not."""

    tenant_id: UUID
    api_key_id: UUID
    model: str
    why: GoneWhy


class DecidedPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction as it was decided and settled, with all that its rows in the ledger need."""

    said: Answered
    input: InputPayload | None
    """What came in; none where it was not captured."""
    tenant_id: UUID
    api_key_id: UUID
    model_id: UUID
    release_id: UUID
    queue: QueuePlan
    decided_path: PathName
    decided_rule: str
    facts: dict[str, str | float | bool]
    items: tuple[SettledItem, ...]
    input_digest: str
    log_position: tuple[str, int] | None
    response_digest: str = ""
    """The SHA-256 of what its caller was told; '' while nobody was told anything."""

    @property
    def id(self) -> UUID:
        """The prediction's id."""
        return self.said.prediction_id

    @property
    def subject(self) -> Subject:
        """What its cases are about."""
        return Subject(
            prediction_id=self.id,
            tenant_id=self.tenant_id,
            model_id=self.model_id,
            release_id=self.release_id,
            queue=self.queue,
        )


class Payloads(msgspec.Struct, frozen=True, kw_only=True):
    """The payload objects of a prediction, stored."""

    input: StoredObject | None
    output: StoredObject


def decided(held: HeldPrediction) -> DecidedPrediction:
    """The part of a held prediction that the ledger keeps."""
    return DecidedPrediction(
        said=answered(held),
        input=InputPayload(inputs=held.inputs, beside=held.beside),
        tenant_id=held.caller.tenant_id,
        api_key_id=held.caller.key_id,
        model_id=held.model.id,
        release_id=held.decision.release.id,
        queue=held.model.queue,
        decided_path=held.decision.path,
        decided_rule=held.decision.rule,
        facts=held.facts,
        items=held.settled.items,
        input_digest=held.input_digest,
        log_position=held.log_position,
    )


async def keep_payloads(objects: ObjectStore, prediction: DecidedPrediction) -> Payloads:
    """Store what came in and what the model said, durably. Raises: ObjectsUnavailable, also when the disk is full."""
    try:
        output = objects.put(encode(prediction.said))
        if prediction.input is None:
            return Payloads(input=None, output=await output)
        kept_input, kept_output = await asyncio.gather(objects.put(encode(prediction.input)), output)
    except OSError as error:
        raise ObjectsUnavailable from error
    return Payloads(input=kept_input, output=kept_output)


async def insert_rows(
    w: WriteSession, prediction: DecidedPrediction, kept: Payloads, *, open_: bool, wait_until_us: int | None
) -> None:
    """Write the rows of the prediction and its payloads."""
    said = prediction.said
    expires_us = after_us(said.decided_us, said.policy.retention_days * DAY_S)
    input_id, output_id = [
        None
        if stored is None
        else await predictions.insert_payload(
            w, prediction.tenant_id, stored, media_type=MEDIA_TYPE, expires_us=expires_us, now_us=said.decided_us
        )
        for stored in (kept.input, kept.output)
    ]
    await predictions.insert_prediction(
        w,
        NewPrediction(
            id=said.prediction_id,
            tenant_id=prediction.tenant_id,
            api_key_id=prediction.api_key_id,
            model_id=prediction.model_id,
            release_id=prediction.release_id,
            flag_state=said.flag_state,
            request_id=said.request_id,
            decided_path=prediction.decided_path,
            path=said.path,
            decided_rule=prediction.decided_rule,
            rule=said.rule,
            facts=prediction.facts,
            items=said.items,
            open=open_,
            input_digest=prediction.input_digest,
            input_payload_id=input_id,
            output_payload_id=output_id,
            wait_until_us=wait_until_us,
            log_position=prediction.log_position,
            created_us=said.decided_us,
        ),
    )


def new_case(
    subject: Subject, item: SettledItem, kind: CaseKind, now_us: int, *, caller_waiting: bool = False
) -> NewCase:
    """The case that puts this item before people."""
    queue, audited = subject.queue, kind == "audit"
    score = item.score
    return NewCase(
        tenant_id=subject.tenant_id,
        prediction_id=subject.prediction_id,
        item=item.item,
        kind=kind,
        queue_id=queue.id,
        queue_revision_id=queue.revision_id,
        model_id=subject.model_id,
        release_id=subject.release_id,
        rule=item.rule,
        evidence=item.evidence,
        answer=item.answer,
        score=score if score is not None and isfinite(score) else None,
        inclusion_probability=item.audit_probability if audited else None,
        draw=item.audit_draw if audited else None,
        blind=blind_draw(subject.prediction_id, item.item, kind) < queue.blind_share,
        due_us=after_us(now_us, queue.deadline_s),
        caller_waiting=caller_waiting,
    )


def blind_draw(prediction_id: UUID, item: int, kind: CaseKind) -> float:
    """A number in [0, 1) that decides whether a case is judged without the model's answer; the same each time."""
    digest = sha256(prediction_id.bytes + item.to_bytes(4) + kind.encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
