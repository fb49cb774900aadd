"""Reads the plan from the ledger: what serves, under which flags, halts, queues, precedents and keys."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import select

from gateway.inference.report import Probe
from gateway.inference.upstreams import Upstream
from gateway.labels import Answer, LabelSchema
from gateway.plan import ModelPlan, Plan, PrecedentPlan, ReleasePlan, TrialPlan
from gateway.policy import Policy
from gateway.protocol.batch import batched_inputs
from gateway.protocol.signature import Signature
from gateway.registry.card import Card
from gateway.store.halts import halt_of
from gateway.store.keys import live_callers
from gateway.store.ledger import ReadSession
from gateway.store.plans import plan_revision
from gateway.store.queues import open_holds, queue_plan
from gateway.store.schema.learning import PrecedentRow
from gateway.store.schema.serves import (
    GuidelineRow,
    LabelSchemaRow,
    ModelRow,
    PolicyRow,
    ReleaseRow,
    ServingRow,
    TrialRow,
    VersionRow,
)

Known = Mapping[UUID, ReleasePlan]
"""Releases that were read before: they are immutable, so they are not read again."""


async def read_plan(r: ReadSession, known: Known | None = None) -> Plan:
    """The plan as the ledger has it in one view of the data."""
    known = known or {}
    now_us = await r.now_us()
    models: dict[tuple[UUID, str], ModelPlan] = {}
    for model, serving in await r.execute(select(ModelRow, ServingRow).join(ServingRow)):
        plan = await _model_plan(r, model, serving, now_us, known)
        if plan is not None:
            models[model.tenant_id, model.name] = plan
    return Plan(revision=await plan_revision(r), models=models, callers=await live_callers(r, now_us))


async def all_champions(r: ReadSession) -> dict[UUID, UUID]:
    """The release that serves, by model."""
    return {row[0]: row[1] for row in await r.execute(select(ServingRow.model_id, ServingRow.champion_id))}


async def served_models(r: ReadSession, tenant_id: UUID, name: str | None = None) -> list[ModelPlan]:
    """The plans of a tenant's models, or of the one with this name, in the order of their names."""
    statement = select(ModelRow, ServingRow).join(ServingRow).where(ModelRow.tenant_id == tenant_id)
    if name is not None:
        statement = statement.where(ModelRow.name == name)
    now_us = await r.now_us()
    rows = (await r.execute(statement.order_by(ModelRow.name))).all()
    plans = [await _model_plan(r, model, serving, now_us, {}) for model, serving in rows]
    return [plan for plan in plans if plan is not None]


async def _model_plan(
    r: ReadSession, model: ModelRow, serving: ServingRow, now_us: int, known: Known
) -> ModelPlan | None:
    """The plan of one model; none while no queue could take its holds."""
    queue = await queue_plan(r, model.tenant_id, model.id)
    if queue is None:
        return None
    return ModelPlan(
        id=model.id,
        tenant_id=model.tenant_id,
        name=model.name,
        four_eyes=model.four_eyes,
        champion=await _known_release(r, model.name, serving.champion_id, known),
        previous=await _known_release(r, model.name, serving.previous_id, known) if serving.previous_id else None,
        trial=await _trial_plan(r, model, known),
        halt=await halt_of(r, model.id),
        queue=queue,
        precedents=await _precedents(r, model.id, now_us),
        open_holds=await open_holds(r, model.id),
    )


async def _known_release(r: ReadSession, model: str, release_id: UUID, known: Known) -> ReleasePlan:
    return known.get(release_id) or await release_plan(r, model, release_id)


async def release_plan(r: ReadSession, model: str, release_id: UUID) -> ReleasePlan:
    """A release with its own documents applied to its version's card."""
    statement = (
        select(ReleaseRow, VersionRow, PolicyRow.body, LabelSchemaRow.body, GuidelineRow.body)
        .join(VersionRow, VersionRow.id == ReleaseRow.version_id)
        .join(PolicyRow, PolicyRow.sha256 == ReleaseRow.policy)
        .join(LabelSchemaRow, LabelSchemaRow.sha256 == ReleaseRow.label_schema)
        .join(GuidelineRow, GuidelineRow.sha256 == ReleaseRow.guideline)
        .where(ReleaseRow.id == release_id)
    )
    release, version, policy_body, labels_body, guideline = (await r.execute(statement)).one()
    policy = _overridden(msgspec.json.decode(policy_body, type=Policy), release.overrides)
    card = msgspec.structs.replace(
        msgspec.json.decode(version.card, type=Card),
        policy=policy,
        labels=msgspec.json.decode(labels_body, type=LabelSchema),
        guideline=guideline,
    )
    admitted = None if version.artifact is None else msgspec.json.decode(version.admission_report, type=_Admitted)
    return ReleasePlan(
        id=release.id,
        name=f"{model}@{release.number}",
        number=release.number,
        version=version.number,
        artifact=version.artifact or "",
        card=card,
        policy=policy,
        policy_sha256=release.policy,
        label_schema_sha256=release.label_schema,
        guideline_sha256=release.guideline,
        signature=admitted.signature if admitted else None,
        bytes=admitted.bytes if admitted else 0,
        joins=admitted is not None and _joins(admitted, card),
        upstream=msgspec.json.decode(version.upstream, type=Upstream) if version.upstream else None,
    )


class _Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """What is read here of an admission report."""

    bytes: int
    signature: Signature
    probe: Probe


def _joins(admitted: _Admitted, card: Card) -> bool:
    """Whether requests may be run together: the card says where items lie, admission that they do not mix."""
    if card.batch_axis is None or admitted.probe.batching != "independent":
        return False
    inputs = admitted.signature.inputs
    return batched_inputs(inputs, card.batch_axis) == {each.name for each in inputs}


def _overridden(policy: Policy, overrides: str) -> Policy:
    """The policy with the release's own overrides, which were validated when the release was made."""
    numbers = msgspec.json.decode(overrides, type=dict[str, object])
    return msgspec.convert(msgspec.to_builtins(policy) | numbers, Policy) if numbers else policy


async def _trial_plan(r: ReadSession, model: ModelRow, known: Known) -> TrialPlan | None:
    statement = select(TrialRow).where(TrialRow.model_id == model.id, TrialRow.closed_us.is_(None))
    row = (await r.execute(statement)).scalar_one_or_none()
    if row is None:
        return None
    return TrialPlan(
        id=row.id,
        candidate=await _known_release(r, model.name, row.release_id, known),
        canary_open=row.canary_open,
        disagreement_probability=row.disagreement_probability,
    )


async def _precedents(r: ReadSession, model_id: UUID, now_us: int) -> Mapping[tuple[str, str], PrecedentPlan]:
    """The corrections in force, by label schema and input digest."""
    statement = select(PrecedentRow).where(
        PrecedentRow.model_id == model_id,
        PrecedentRow.withdrawn_us.is_(None),
        PrecedentRow.learned_in.is_(None),
        PrecedentRow.expires_us > now_us,
    )
    return {
        (row.label_schema, row.input_digest): PrecedentPlan(
            answer=msgspec.json.decode(row.answer, type=Answer),
            prediction_id=row.prediction_id,
            item=row.item,
            outcome_revision=row.outcome_revision,
            expires_us=row.expires_us,
        )
        for row in (await r.execute(statement)).scalars()
    }
