"""A small believable world in a real ledger: tenant, people with roles, model with a release, queue, key, holds.

`async with ledger.writing() as w: world = await build_world(w)` and then `await hold(w, world)` for each prediction.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import insert, select

from gateway.ids import new_id
from gateway.inference.report import AdmissionReport, Probe
from gateway.inference.upstreams import upstream_at
from gateway.labels import Answer, Choice, LabelSchema
from gateway.policy import Policy
from gateway.protocol.signature import Signature
from gateway.registry.card import About, AnswerOutput, Card, Shown
from gateway.store.events import append_event
from gateway.store.ledger import WriteSession
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.serves import (
    GuidelineRow,
    LabelSchemaRow,
    ModelRow,
    PolicyRow,
    ReleaseRow,
    ServingHistoryRow,
    ServingRow,
    VersionRow,
)
from gateway.store.schema.who import ApiKeyRow, GrantRow, PersonRow, TenantRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, QueueRevisionRow, QueueRow
from gateway.times import after_us

START_US = int(datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp()) * 1_000_000
ELSEWHERE = msgspec.json.encode(upstream_at("http://upstream.example:80/sentiment", "sentiment")).decode()
"""Where the model of a world runs: nowhere."""
SENTIMENT = LabelSchema(
    kind="choice",
    choices=(Choice(value="negative", key="1"), Choice(value="neutral", key="2"), Choice(value="positive", key="3")),
    reasons=("irony",),
)
CARD = Card(
    about=About(owner="Reviews", contact="reviews@example.org", intended_use="Sorting.", limitations="English."),
    shown=(Shown(input="text", kind="text"),),
    answer=AnswerOutput(output="label", confidence="probabilities", classes=("negative", "neutral", "positive")),
    labels=SENTIMENT,
    guideline="# Sentiment\n\nJudge the writer's feeling, not the subject.",
)
PRIORITY = {"hold": 20, "report": 30, "disagreement": 40, "audit": 50, "drift": 60}
Kind = Literal["hold", "audit", "disagreement", "report", "drift"]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a queue, as short as a test wants to write them."""

    agreement: Literal["single", "majority", "unanimous"] = "single"
    k: int = 1
    required: int = 1
    deadline_s: float = 3600.0
    blind_share: float = 0.0
    lease_s: float = 120.0
    undo_grace_s: float = 0.0
    rationale: Literal["never", "on_correction", "always"] = "never"


class World(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of what was built."""

    tenant_id: UUID
    people: dict[str, UUID]
    """By first name; the address is `<name>@example.org`, in another tenant `<name>@<tenant>.example.org`."""
    model_id: UUID
    release_id: UUID
    version_id: UUID
    queue_id: UUID
    queue_revision_id: UUID
    key_id: UUID
    """A key of a service, which belongs to nobody."""
    now_us: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction with the cases of its items, in order."""

    prediction_id: UUID
    cases: tuple[UUID, ...]


def sha256(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


async def build_world(
    w: WriteSession,
    *,
    tenant: str = "default",
    model: str = "sentiment",
    reviewers: tuple[str, ...] = ("ada", "ben", "cleo"),
    leads: tuple[str, ...] = ("lena",),
    rules: Rules = Rules(),  # noqa: B008 - a frozen value
    schema: LabelSchema = SENTIMENT,
    policy: Policy = Policy(),  # noqa: B008 - a frozen value
    four_eyes: bool = False,
    card: Card | None = None,
    now_us: int = START_US,
) -> World:
    """A tenant with one served model, its queue and its people; everybody is a member of the queue.

    A whole `card` takes the place of `schema`, `policy` and `four_eyes`.
    """
    tenant_id = await _tenant(w, tenant, now_us)
    roles = dict.fromkeys(reviewers, "reviewer") | dict.fromkeys(leads, "lead")
    domain = "example.org" if tenant == "default" else f"{tenant}.example.org"
    people = {
        name: await add_person(w, tenant_id, name, role, domain=domain, now_us=now_us) for name, role in roles.items()
    }
    key_id = await add_key(w, tenant_id, "shop", secret=f"lg_shop@{domain}", now_us=now_us)
    card = card or msgspec.structs.replace(CARD, labels=schema, policy=policy, four_eyes=four_eyes)
    model_id, version_id, release_id = await add_release(w, tenant_id, model, card, now_us=now_us)
    queue_id = new_id()
    await w.execute(insert(QueueRow).values(
        id=queue_id, tenant_id=tenant_id, name="default", model_id=None, created_us=now_us))  # fmt: skip
    revision_id = await add_revision(w, queue_id, 1, rules, now_us=now_us)
    for person_id in people.values():
        await add_member(w, queue_id, person_id, now_us=now_us)
    return World(
        tenant_id=tenant_id, people=people, model_id=model_id, release_id=release_id, version_id=version_id,
        queue_id=queue_id, queue_revision_id=revision_id, key_id=key_id, now_us=now_us,
    )  # fmt: skip


async def _tenant(w: WriteSession, name: str, now_us: int) -> UUID:
    """The tenant of this name; a migrated ledger has one named `default`."""
    found = (await w.execute(select(TenantRow.id).where(TenantRow.name == name))).scalar_one_or_none()
    if found is not None:
        return found
    tenant_id = new_id()
    await w.execute(insert(TenantRow).values(id=tenant_id, name=name, created_us=now_us))
    return tenant_id


async def add_person(
    w: WriteSession,
    tenant_id: UUID,
    name: str,
    role: str,
    *,
    model_id: UUID | None = None,
    domain: str = "example.org",
    now_us: int = START_US,
) -> UUID:
    """A person with one role."""
    person_id = new_id()
    await w.execute(insert(PersonRow).values(
        id=person_id, name=name.title(), email=f"{name}@{domain}", password_hash=None, preferences=None,
        replayed=False, disabled_us=None, created_us=now_us))  # fmt: skip
    await w.execute(insert(GrantRow).values(
        id=new_id(), person_id=person_id, role=role, tenant_id=tenant_id, model_id=model_id, by="worker",
        created_us=now_us))  # fmt: skip
    return person_id


async def add_member(w: WriteSession, queue_id: UUID, person_id: UUID, *, now_us: int = START_US) -> None:
    """Make a person a member of a queue."""
    await w.execute(insert(QueueMemberRow).values(queue_id=queue_id, person_id=person_id, created_us=now_us))


async def add_key(
    w: WriteSession,
    tenant_id: UUID,
    name: str,
    *,
    person_id: UUID | None = None,
    secret: str | None = None,
    now_us: int = START_US,
) -> UUID:
    """A key that may predict with every model; its secret is `lg_<name>` where none is given."""
    key_id = new_id()
    await w.execute(insert(ApiKeyRow).values(
        id=key_id, tenant_id=tenant_id, person_id=person_id, name=name, hint="lg_",
        sha256=sha256(secret or f"lg_{name}"), scopes='["predict:*"]', expires_us=None, revoked_us=None,
        created_us=now_us))  # fmt: skip
    return key_id


async def add_revision(w: WriteSession, queue_id: UUID, revision: int, rules: Rules, *, now_us: int = START_US) -> UUID:
    """A revision of a queue."""
    revision_id = new_id()
    await w.execute(insert(QueueRevisionRow).values(
        id=revision_id, queue_id=queue_id, revision=revision, capacity=None, by="worker", why=None, created_us=now_us,
        **msgspec.structs.asdict(rules)))  # fmt: skip
    return revision_id


REPORT = msgspec.json.encode(
    AdmissionReport(
        sha256="0" * 64, bytes=0, signature=Signature(inputs=(), outputs=()), opsets=(), ir_version=10,
        producer="tests", class_labels=(), probe=Probe(), warnings=(),
    )
).decode()  # fmt: skip
"""What admission found out about a model that is never run here: nothing."""


async def add_release(
    w: WriteSession, tenant_id: UUID, name: str, card: Card, *, now_us: int = START_US
) -> tuple[UUID, UUID, UUID]:
    """A model with one release under this card, which serves; the ids of model, version and release."""
    bodies = (
        (PolicyRow, msgspec.json.encode(card.policy).decode()),
        (LabelSchemaRow, msgspec.json.encode(card.labels).decode()),
        (GuidelineRow, card.guideline),
    )
    for table, body in bodies:
        if await w.get(table, sha256(body)) is None:
            await w.execute(insert(table).values(sha256=sha256(body), body=body, created_us=now_us))
    model_id, version_id, release_id = new_id(), new_id(), new_id()
    await w.execute(insert(ModelRow).values(
        id=model_id, tenant_id=tenant_id, name=name, four_eyes=card.four_eyes, signature="{}",
        created_us=now_us))  # fmt: skip
    await w.execute(insert(VersionRow).values(
        id=version_id, model_id=model_id, number=1, artifact=None, upstream=ELSEWHERE, recipe=None,
        admission_report=REPORT, card=msgspec.json.encode(card).decode(), by="worker", created_us=now_us))  # fmt: skip
    policy_sha, schema_sha, guideline_sha = (sha256(body) for _, body in bodies)
    await w.execute(insert(ReleaseRow).values(
        id=release_id, model_id=model_id, number=1, version_id=version_id, policy=policy_sha, label_schema=schema_sha,
        guideline=guideline_sha, overrides="{}", parent_id=None, by="worker", why=None, created_us=now_us))  # fmt: skip
    await w.execute(insert(ServingRow).values(
        model_id=model_id, champion_id=release_id, previous_id=None, revision=1))  # fmt: skip
    await w.execute(insert(ServingHistoryRow).values(
        model_id=model_id, revision=1, champion_id=release_id, from_us=now_us, action="founded", by="worker",
        why="The first release of the model.", gate=None, forced=False, second_person=None))  # fmt: skip
    return model_id, version_id, release_id


async def hold(
    w: WriteSession,
    world: World,
    *,
    items: int = 1,
    kind: Kind = "hold",
    answer: Answer | None = "negative",
    score: float = 0.41,
    blind: bool = False,
    text: str | None = None,
    key_id: UUID | None = None,
    now_us: int | None = None,
    deadline_s: float = 3600.0,
    priority: int | None = None,
) -> Held:
    """A prediction with a case for each of its items, opened as the gateway opens them."""
    now_us = world.now_us if now_us is None else now_us
    prediction_id, payload_id = new_id(), new_id()
    text = text if text is not None else f"not bad at all {prediction_id}"
    await w.execute(insert(PayloadRow).values(
        id=payload_id, tenant_id=world.tenant_id, sha256=sha256(text), location=f"payloads/{payload_id}",
        bytes=len(text), media_type="application/json", expires_us=None, legal_hold=False, erased_us=None,
        created_us=now_us))  # fmt: skip
    await w.execute(insert(PredictionRow).values(
        id=prediction_id, tenant_id=world.tenant_id, api_key_id=key_id or world.key_id, model_id=world.model_id,
        release_id=world.release_id, flag_state=None, request_id=None, decided_path="automated",
        path="review" if kind == "hold" else "automated", decided_rule="automated", rule="below_threshold", facts="{}",
        items=items, open=kind == "hold", input_digest=sha256(text), input_payload_id=payload_id,
        output_payload_id=None, wait_until_us=after_us(now_us, 10.0), cancelled_us=None, log_segment=None,
        log_offset=None, created_us=now_us))  # fmt: skip
    if kind == "hold":
        await append_event(w, "prediction.held", f"prediction:{prediction_id}", {"items": list(range(1, items + 1))},
                           by="gateway", tenant_id=world.tenant_id, at_us=now_us)  # fmt: skip
    shared: dict[str, Any] = {
        "kind": kind, "answer": None if answer is None else msgspec.json.encode(answer).decode(), "score": score,
        "blind": blind, "priority": PRIORITY[kind] if priority is None else priority,
        "due_us": after_us(now_us, deadline_s), "caller_waiting": kind == "hold", "created_us": now_us,
    }  # fmt: skip
    cases = [await _open_case(w, world, prediction_id, item, **shared) for item in range(1, items + 1)]
    return Held(prediction_id=prediction_id, cases=tuple(cases))


async def _open_case(w: WriteSession, world: World, prediction_id: UUID, item: int, **shared: Any) -> UUID:
    case_id = new_id()
    await w.execute(insert(CaseRow).values(
        id=case_id, tenant_id=world.tenant_id, prediction_id=prediction_id, item=item, queue_id=world.queue_id,
        queue_revision_id=world.queue_revision_id, model_id=world.model_id, release_id=world.release_id,
        other_release_id=None, rule="below_threshold", evidence='{"score":0.41,"hold_below":0.6}',
        inclusion_probability=None, draw=None, state="open", round=1, version=1, next_token=1, caller_withdrew=False,
        closed_reason=None, changed_us=shared["created_us"], **shared))  # fmt: skip
    await append_event(
        w, "case.opened", f"case:{case_id}", {"from": None, "to": "open", "version": 1, "round": 1},
        by="gateway", tenant_id=world.tenant_id, at_us=shared["created_us"],
    )  # fmt: skip
    return case_id
