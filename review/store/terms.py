"""The SQL of the terms under which a case is judged: the rules of its queue revision and what its release declares."""

from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import exists, select

from gateway.labels import LabelSchema
from gateway.policy import Policy
from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.serves import LabelSchemaRow, ModelRow, PolicyRow, ReleaseRow
from gateway.store.schema.who import ApiKeyRow, GrantRow, PersonRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, QueueRevisionRow, QueueRow, VerdictRow
from review.desk.agreement import Rule


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything outside a case that decides what may be done with it."""

    queue: str
    rule: Rule
    deadline_s: float
    lease_s: float
    undo_grace_s: float
    rationale: Literal["never", "on_correction", "always"]
    schema: LabelSchema
    policy: Policy
    guideline: str
    """The SHA-256 of the guideline."""
    four_eyes: bool
    caller_id: UUID | None
    """The person to whom the caller's key belongs, if to anybody."""

    def own_traffic_of(self, person_id: UUID) -> bool:
        """Whether the case came from a key of this person and the model asks for four eyes."""
        return self.four_eyes and self.caller_id == person_id


_TERMS = (
    select(
        QueueRow.name.label("queue"),
        QueueRevisionRow.agreement,
        QueueRevisionRow.k,
        QueueRevisionRow.required,
        QueueRevisionRow.deadline_s,
        QueueRevisionRow.lease_s,
        QueueRevisionRow.undo_grace_s,
        QueueRevisionRow.rationale,
        LabelSchemaRow.body.label("schema"),
        PolicyRow.body.label("policy"),
        ReleaseRow.guideline,
        ModelRow.four_eyes,
        ApiKeyRow.person_id.label("caller_id"),
    )
    .select_from(CaseRow)
    .join(QueueRow, QueueRow.id == CaseRow.queue_id)
    .join(QueueRevisionRow, QueueRevisionRow.id == CaseRow.queue_revision_id)
    .join(ReleaseRow, ReleaseRow.id == CaseRow.release_id)
    .join(LabelSchemaRow, LabelSchemaRow.sha256 == ReleaseRow.label_schema)
    .join(PolicyRow, PolicyRow.sha256 == ReleaseRow.policy)
    .join(ModelRow, ModelRow.id == CaseRow.model_id)
    .join(PredictionRow, PredictionRow.id == CaseRow.prediction_id)
    .join(ApiKeyRow, ApiKeyRow.id == PredictionRow.api_key_id)
)


async def terms_of(r: ReadSession, case_id: UUID) -> Terms:
    """The terms of a case."""
    values = dict((await r.execute(_TERMS.where(CaseRow.id == case_id))).one()._mapping)
    rule = Rule(agreement=values.pop("agreement"), k=values.pop("k"), required=values.pop("required"))
    schema, policy = _schema(values.pop("schema")), _policy(values.pop("policy"))
    return Terms(rule=rule, schema=schema, policy=policy, **values)


@lru_cache(maxsize=256)
def _schema(body: str) -> LabelSchema:
    return msgspec.json.decode(body, type=LabelSchema)


@lru_cache(maxsize=256)
def _policy(body: str) -> Policy:
    return msgspec.json.decode(body, type=Policy)


async def is_member(r: ReadSession, queue_id: UUID, person_id: UUID) -> bool:
    """Whether the person may claim from the queue."""
    statement = select(QueueMemberRow.queue_id).where(
        QueueMemberRow.queue_id == queue_id, QueueMemberRow.person_id == person_id
    )
    return (await r.execute(statement)).one_or_none() is not None


async def somebody_is_left(r: ReadSession, case_id: UUID, terms: Terms) -> bool:
    """Whether some member of the case's queue has not judged it this round and may."""
    judged = exists().where(
        VerdictRow.case_id == CaseRow.id,
        VerdictRow.round == CaseRow.round,
        VerdictRow.person_id == QueueMemberRow.person_id,
    )
    statement = (
        select(QueueMemberRow.person_id)
        .join(CaseRow, CaseRow.queue_id == QueueMemberRow.queue_id)
        .join(PersonRow, PersonRow.id == QueueMemberRow.person_id)
        .where(CaseRow.id == case_id, PersonRow.disabled_us.is_(None), ~judged)
    )
    if terms.four_eyes and terms.caller_id is not None:
        statement = statement.where(QueueMemberRow.person_id != terms.caller_id)
    return (await r.execute(statement.limit(1))).first() is not None


async def another_lead(r: ReadSession, case_id: UUID, person_id: UUID) -> bool:
    """Whether somebody else is a lead for the case's model and has never judged the case."""
    judged = exists().where(VerdictRow.case_id == CaseRow.id, VerdictRow.person_id == GrantRow.person_id)
    statement = (
        select(GrantRow.person_id)
        .join(PersonRow, PersonRow.id == GrantRow.person_id)
        .join(CaseRow, CaseRow.tenant_id == GrantRow.tenant_id)
        .where(CaseRow.id == case_id, GrantRow.role == "lead", PersonRow.disabled_us.is_(None))
        .where(GrantRow.person_id != person_id, ~judged)
        .where(GrantRow.model_id.is_(None) | (GrantRow.model_id == CaseRow.model_id))
    )
    return (await r.execute(statement.limit(1))).first() is not None
