"""Outcomes in bulk: predictions that people have settled, written as gateway and desk would have left them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy import insert, select

from gateway.holding.payload import MEDIA_TYPE, InputPayload, encode
from gateway.ids import new_id
from gateway.protocol.datatypes import Tensor
from gateway.record.objects import digest_of, location
from gateway.store.ledger import WriteSession
from gateway.store.schema.columns import Table
from gateway.store.schema.serves import ModelRow, ServingRow
from gateway.store.schema.work import QueueRevisionRow, QueueRow
from tests.worlds import START_US, add_key, add_person, sha256

Kind = Literal["hold", "audit", "disagreement", "report", "drift"]
TABLES = Table.metadata.tables


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Where outcomes are written: a served model with its queue, a caller and two people."""

    tenant_id: UUID
    model_id: UUID
    release_id: UUID
    queue_id: UUID
    queue_revision_id: UUID
    key_id: UUID
    people: tuple[UUID, ...]
    objects: Path
    """The root of the payload objects."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A request of which every item was settled."""

    inputs: dict[str, Tensor]
    answers: tuple[str | float, ...]
    """What people said, one an item."""
    said: tuple[str | float, ...] = ()
    """What the model had said; the same where nothing is given."""
    scores: tuple[float, ...] = ()
    kind: Kind = "hold"
    probability: float | None = None
    facts: dict[str, str | float | bool] = {}
    source: str = "people"
    people: int = 1
    beside: dict[str, Tensor] = {}


async def ground(w: WriteSession, model: str, objects: Path) -> Ground:
    """The ground of a model that was added."""
    found = (await w.execute(select(ModelRow, ServingRow).join(ServingRow).where(ModelRow.name == model))).one()
    queue_id, revision_id = (
        await w.execute(
            select(QueueRow.id, QueueRevisionRow.id).join(QueueRevisionRow, QueueRevisionRow.queue_id == QueueRow.id)
        )
    ).one()
    tenant_id = found[0].tenant_id
    people = tuple([await add_person(w, tenant_id, name, "reviewer") for name in ("ada", "ben")])
    return Ground(
        tenant_id=tenant_id, model_id=found[0].id, release_id=found[1].champion_id, queue_id=queue_id,
        queue_revision_id=revision_id, key_id=await add_key(w, tenant_id, "shop"), people=people, objects=objects,
    )  # fmt: skip


async def settle(w: WriteSession, where: Ground, requests: Sequence[Settled], *, at_us: int = START_US) -> list[UUID]:
    """Write the requests with everything that belongs to them; the ids of their predictions."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _ORDER}
    ids = []
    for request in requests:
        ids.append(new_id())
        _write(rows, where, ids[-1], request, at_us)
    for name in _ORDER:
        if rows[name]:
            await w.execute(insert(TABLES[name]), rows[name])
    return ids


_ORDER = ("payload", "prediction", "case", "claim", "verdict", "outcome", "outcome_verdict")


def _write(rows: dict[str, list[dict[str, Any]]], where: Ground, id_: UUID, request: Settled, at_us: int) -> None:
    data = encode(InputPayload(inputs=request.inputs, beside=request.beside))
    payload_id, digest = new_id(), digest_of(data)
    file = where.objects / location(digest)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)  # not synced: a benchmark writes many
    items = len(request.answers)
    rows["payload"].append(
        {
            "id": payload_id, "tenant_id": where.tenant_id, "sha256": digest, "location": location(digest),
            "bytes": len(data), "media_type": MEDIA_TYPE, "expires_us": None, "legal_hold": False, "erased_us": None,
            "created_us": at_us,
        }
    )  # fmt: skip
    rows["prediction"].append(
        {
            "id": id_, "tenant_id": where.tenant_id, "api_key_id": where.key_id, "model_id": where.model_id,
            "release_id": where.release_id, "flag_state": None, "request_id": None, "decided_path": "automated",
            "path": "review", "decided_rule": "automated", "rule": "below_threshold",
            "facts": msgspec.json.encode(request.facts).decode(), "items": items, "open": False,
            "input_digest": sha256(str(id_)), "input_payload_id": payload_id, "output_payload_id": None,
            "wait_until_us": None, "cancelled_us": None, "log_segment": None, "log_offset": None, "created_us": at_us,
        }
    )  # fmt: skip
    for at in range(items):
        _write_item(rows, where, id_, request, at, at_us)


def _write_item(
    rows: dict[str, list[dict[str, Any]]], where: Ground, id_: UUID, request: Settled, at: int, at_us: int
) -> None:
    case_id, item = new_id(), at + 1
    said = (request.said or request.answers)[at]
    rows["case"].append(
        {
            "id": case_id, "tenant_id": where.tenant_id, "prediction_id": id_, "item": item, "kind": request.kind,
            "queue_id": where.queue_id, "queue_revision_id": where.queue_revision_id, "model_id": where.model_id,
            "release_id": where.release_id, "other_release_id": None, "rule": "below_threshold", "evidence": "{}",
            "answer": _json(said), "score": request.scores[at] if request.scores else 0.5,
            "inclusion_probability": request.probability, "draw": None, "blind": False, "priority": 20,
            "state": "settled", "round": 1, "version": 3, "next_token": 2, "due_us": at_us, "caller_waiting": False,
            "caller_withdrew": False, "closed_reason": None, "created_us": at_us, "changed_us": at_us,
        }
    )  # fmt: skip
    verdicts = [
        _write_verdict(rows, case_id, person, request.answers[at], at_us) for person in where.people[: request.people]
    ]
    key = {"prediction_id": id_, "item": item, "revision": 1}
    rows["outcome"].append(
        key
        | {
            "case_id": case_id, "round": 1, "source": request.source, "status": "answered",
            "answer": _json(request.answers[at]), "differs": said != request.answers[at], "release_after_us": at_us,
            "supersedes": None, "created_us": at_us,
        }
    )  # fmt: skip
    rows["outcome_verdict"].extend(key | {"verdict_id": verdict} for verdict in verdicts)


def _write_verdict(
    rows: dict[str, list[dict[str, Any]]], case_id: UUID, person: UUID, answer: object, at_us: int
) -> UUID:
    claim_id, verdict_id = new_id(), new_id()
    slot = len([claim for claim in rows["claim"][-2:] if claim["case_id"] == case_id]) + 1
    rows["claim"].append(
        {
            "id": claim_id, "case_id": case_id, "round": 1, "slot": slot, "person_id": person, "token": slot,
            "claimed_us": at_us, "expires_us": at_us, "ended_us": at_us, "ended_why": "verdict",
        }
    )  # fmt: skip
    rows["verdict"].append(
        {
            "id": verdict_id, "case_id": case_id, "round": 1, "person_id": person, "claim_id": claim_id,
            "kind": "correct", "answer": _json(answer), "reason_code": "none", "rationale": "because", "shown": "{}",
            "guideline": sha256("guideline"), "active_s": 2.5, "adjudicated": False, "only_lead": False,
            "undoes_id": None, "post_key": str(claim_id), "created_us": at_us,
        }
    )  # fmt: skip
    return verdict_id


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def numbers(*rows: Sequence[float]) -> dict[str, Tensor]:
    """The input of the tests' small model."""
    return {"x": np.array(rows, dtype=np.float32)}
