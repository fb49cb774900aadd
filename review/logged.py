"""Predictions that live in the traffic log alone, put together again from their entry, their objects and the ledger.

A selected prediction, and one that was not simply answered by the model, always has payload objects; the others keep
small tensors in the entry itself. What was not captured, or was erased, cannot be told again.
"""

from math import prod
from typing import TypeVar
from uuid import UUID

import numpy as np
from sqlalchemy import select

from gateway.answers import answers_of
from gateway.decision import SettledItem
from gateway.holding.decided import DecidedPrediction, Payloads, Unkept
from gateway.holding.payload import Answered, InputPayload, decode_answered, decode_input
from gateway.holding.truth import GoneWhy
from gateway.labels import Answer
from gateway.plan import ReleasePlan
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.record.entries import Decided, Delivered, InlineTensor, ObjectRef, Position, Shadowed
from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.objects import StoredObject, location
from gateway.record.payloads import ObjectStore
from gateway.record.reader import unfold
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import find_model
from gateway.store.queues import queue_plan
from gateway.store.schema.serves import ReleaseRow
from gateway.store.serving import release_plan
from gateway.times import SECOND_US
from review.traffic.query import TrafficReader

_T = TypeVar("_T", Decided, Shadowed)
YOUNG_US = 60 * SECOND_US
"""So long after its answer a payload may still be on its way to its store."""


async def find_logged(
    ledger: Ledger, traffic: TrafficReader, objects: ObjectStore, prediction_id: UUID
) -> DecidedPrediction | Unkept | None:
    """A prediction of the traffic log as it was answered, or why that is not kept; None where the log has none."""
    found = await traffic.find(prediction_id)
    decided = next((each for each in found if isinstance(each.entry, Decided)), None)
    if decided is None:
        return None
    told = next((each.entry for each in found if isinstance(each.entry, Delivered)), None)
    assert isinstance(decided.entry, Decided)
    async with ledger.reading() as r:
        prediction = await logged_prediction(r, objects, decided.entry, decided.position, told)
        return prediction or unkept(await whole(decided.entry, objects), await r.now_us())


def unkept(entry: Decided, now_us: int) -> Unkept | None:
    """Why what was said cannot be told, of a whole entry or of the head that is left of it; None where it can be. Pure.

    Whatever an entry names was kept once, but an answer does not wait for its payload: a young one may lack it yet.
    What was held is kept by its hold.
    """
    named = entry.folded is not None or object_of(entry, "output") is not None
    young = now_us - entry.at_us < YOUNG_US
    if entry.held_count or (young if named else entry.outputs):
        return None
    why: GoneWhy = "erased" if named else "answered without capture"
    return Unkept(tenant_id=entry.tenant, api_key_id=entry.api_key, model=entry.model, why=why)


async def logged_prediction(
    r: ReadSession, objects: ObjectStore, entry: Decided, position: Position, told: Delivered | None = None
) -> DecidedPrediction | None:
    """The prediction as it was answered; None where it was not captured or its release is unknown.

    The digest of what its caller was told is that of the delivery where the log has one, else of the output tensors.
    """
    entry = await whole(entry, objects)
    model = await find_model(r, entry.tenant, entry.model)
    if model is None:
        return None
    release = await _release(r, entry)
    queue = await queue_plan(r, entry.tenant, model.id)
    said = await _said(objects, entry, release) if release is not None else None
    if release is None or queue is None or said is None:
        return None
    return DecidedPrediction(
        said=said,
        input=await captured_input(objects, entry, release),
        tenant_id=entry.tenant,
        api_key_id=entry.api_key,
        model_id=model.id,
        release_id=release.id,
        queue=queue,
        decided_path=entry.decided_path,
        decided_rule=entry.decided_rule,
        facts={},
        items=settled_items(entry, said.answers),
        input_digest=entry.input_digest,
        log_position=(position.segment, position.offset),
        response_digest=told.response_digest if told is not None else entry.output_digest,
    )


async def whole(entry: _T, objects: ObjectStore) -> _T:
    """The whole entry; its head alone where the rest was erased."""
    try:
        found = await unfold(entry, objects)
    except (UnknownObject, DamagedObject):
        return entry
    assert isinstance(found, type(entry))
    return found


def kept_payloads(entry: Decided) -> Payloads | None:
    """The payload objects of a whole entry; None where it has none of what was said."""
    output, input_ = object_of(entry, "output"), object_of(entry, "input")
    if output is None:
        return None
    return Payloads(input=_stored(input_) if input_ is not None else None, output=_stored(output))


def _stored(found: ObjectRef) -> StoredObject:
    return StoredObject(sha256=found.sha256, bytes=found.bytes, location=location(found.sha256))


def settled_items(entry: Decided, answers: tuple[Answer | None, ...]) -> tuple[SettledItem, ...]:
    """The items as they were settled: `answers` are the model's, by item."""
    return tuple(
        SettledItem(
            item=number,
            held=fact.held,
            rule=fact.rule,
            evidence={figure.name: figure.value for figure in fact.evidence},
            answer=answer,
            score=fact.score,
            audit_probability=fact.audit_probability,
            audit_draw=1.0 if fact.audit_draw is None else fact.audit_draw,
        )
        for number, (fact, answer) in enumerate(zip(entry.items, answers, strict=False), start=1)
    )


async def captured_input(objects: ObjectStore, entry: Decided, release: ReleasePlan) -> InputPayload | None:
    """What came in, from the entry or its object; None where it was not captured or was erased."""
    if found := object_of(entry, "input"):
        data = await _read(objects, found)
        return decode_input(data) if data is not None else None
    if not entry.inputs:
        return None
    tensors, beside = tensors_of(entry.inputs), release.card.beside
    return InputPayload(
        inputs={name: tensor for name, tensor in tensors.items() if name not in beside},
        beside={name: tensor for name, tensor in tensors.items() if name in beside},
    )


def object_of(entry: Decided, role: str) -> ObjectRef | None:
    """The entry's payload object in a role, if it has one."""
    return next((found for found in entry.objects if found.role == role), None)


def tensors_of(inline: tuple[InlineTensor, ...]) -> dict[str, Tensor]:
    """The tensors that an entry keeps, by name."""
    return {each.name: _tensor(each) for each in inline}


async def _release(r: ReadSession, entry: Decided) -> ReleasePlan | None:
    release_id = await release_named(r, entry.tenant, entry.release)
    return await release_plan(r, entry.model, release_id) if release_id is not None else None


async def release_named(r: ReadSession, tenant_id: UUID, name: str) -> UUID | None:
    """The id of a release by its name, such as `sentiment@7`."""
    model, _, number = name.rpartition("@")
    found = await find_model(r, tenant_id, model)
    if found is None:
        return None
    named = select(ReleaseRow.id).where(ReleaseRow.model_id == found.id, ReleaseRow.number == int(number))
    return (await r.execute(named)).scalar_one_or_none()


async def _said(objects: ObjectStore, entry: Decided, release: ReleasePlan) -> Answered | None:
    """What the model said, from the entry or its object."""
    if found := object_of(entry, "output"):
        data = await _read(objects, found)
        return decode_answered(data) if data is not None else None
    if not entry.outputs:
        return None
    return answered_of(entry, release, tensors_of(entry.outputs))


async def _read(objects: ObjectStore, found: ObjectRef) -> bytes | None:
    try:
        return await objects.get(found.sha256)
    except (UnknownObject, DamagedObject):
        return None


def answered_of(entry: Decided, release: ReleasePlan, outputs: dict[str, Tensor]) -> Answered:
    """What the model said, of an entry with its tensors inside: the model itself answered it."""
    card, items = release.card, entry.item_count
    return Answered(
        prediction_id=entry.prediction,
        model=entry.model,
        version=str(release.version),
        release=entry.release,
        path=entry.path,
        rule=entry.rule,
        flag_state=entry.flags.state,
        request_id=entry.request_id,
        requested=(),
        items=items,
        held={},
        answers=tuple(answers_of(card, outputs, items)),
        outputs=outputs,
        answer=card.answer,
        outcome=card.outcome,
        labels=card.labels,
        batch_axis=card.batch_axis,
        policy=release.policy,
        decided_us=entry.at_us,
    )


def _tensor(inline: InlineTensor) -> Tensor:
    """The array of a tensor: little-endian elements, BYTES as length and text each."""
    if inline.datatype != "BYTES":
        dtype = NUMPY[inline.datatype]
        return np.frombuffer(inline.data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(inline.shape)
    texts, at = [], 0
    for _ in range(prod(inline.shape)):
        length = int.from_bytes(inline.data[at : at + 4], "little")
        texts.append(inline.data[at + 4 : at + 4 + length].decode("utf-8", "replace"))
        at += 4 + length
    return np.array(texts, dtype=object).reshape(inline.shape)
