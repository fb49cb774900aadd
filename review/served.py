"""What serves each model, with its flags, its halt and the holds that wait: the view of operators."""

from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select

from flags.definitions import State
from flags.names import of_model
from flags.shown import shown_state
from gateway.errors import UnknownModel
from gateway.plan import HaltPlan, ModelPlan
from gateway.protocol.signature import TensorSpec
from gateway.registry.card import Card
from gateway.store.flags import current_state
from gateway.store.ledger import ReadSession
from gateway.store.models import find_model, releases_of, upstream_of, versions_of
from gateway.store.plans import plan_revision
from gateway.store.schema.serves import ServingHistoryRow
from gateway.store.serving import served_models
from review.flag_switches import Switch, switch_in
from review.learning.recipe import TrainingRecord
from review.store.recipes import training_of


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model and what serves it now."""

    name: str
    release: str
    version: int
    artifact: str
    """The SHA-256 of the model file; empty where it runs elsewhere."""
    upstream: str | None
    """Where it runs, if it does not run here."""
    previous: str | None
    candidate: str | None
    canary_open: bool
    flags: tuple[Switch, ...]
    """`automated`, `shadow` and `candidate`, in this order."""
    halt: HaltPlan | None
    holds_waiting: int
    four_eyes: bool

    @property
    def automated(self) -> Switch:
        """The flag that lets answers go out without a person."""
        return self.flags[0]


class ServedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A release of a model, as its page lists it."""

    release: str
    version: int
    by: str
    created_us: int


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model, as its page lists it."""

    version: int
    artifact: str | None
    upstream: str | None
    """Where it runs, if it does not run here."""
    by: str
    created_us: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a release served, and who decided that."""

    revision: int
    release: str
    from_us: int
    action: Literal["founded", "promoted", "rolled_back"]
    by: str
    why: str


class ModelShown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a model: what serves, its card under the release's policy, and how it came to that."""

    served: Served
    card: Card
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    releases: tuple[ServedLine, ...]
    versions: tuple[VersionLine, ...]
    history: tuple[Moment, ...]
    training: TrainingRecord | None
    """How the version that serves was trained; none where nobody recorded or declared it."""
    plan_revision: int
    """A gateway whose plan has this revision, or a later one, answers as is said here."""


class _Signature(msgspec.Struct, frozen=True, kw_only=True):
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()


async def list_served(r: ReadSession, tenant_id: UUID) -> list[Served]:
    """What serves each model of a tenant, by name."""
    state = shown_state((await current_state(r)).body)
    return [_served(plan, state) for plan in await served_models(r, tenant_id)]


async def show_model(r: ReadSession, tenant_id: UUID, name: str) -> ModelShown:
    """Everything about a model. Raises: UnknownModel."""
    model = await find_model(r, tenant_id, name)
    plans = await served_models(r, tenant_id, name)
    if model is None or not plans:
        raise UnknownModel(model=name[:80])
    releases = await releases_of(r, model.id)
    names = {release.id: f"{name}@{release.number}" for release, _ in releases}
    signature = msgspec.json.decode(model.signature, type=_Signature)
    return ModelShown(
        served=_served(plans[0], shown_state((await current_state(r)).body)),
        card=plans[0].champion.card,
        inputs=signature.inputs,
        outputs=signature.outputs,
        releases=tuple(
            ServedLine(release=names[release.id], version=version, by=release.by, created_us=release.created_us)
            for release, version in releases
        ),
        versions=tuple(
            VersionLine(
                version=row.number,
                artifact=row.artifact,
                upstream=upstream_of(row),
                by=row.by,
                created_us=row.created_us,
            )
            for row in await versions_of(r, model.id)
        ),
        history=await _history(r, model.id, names),
        training=await training_of(r, plans[0].champion.id),
        plan_revision=await plan_revision(r),
    )


async def _history(r: ReadSession, model_id: UUID, names: dict[UUID, str]) -> tuple[Moment, ...]:
    """What served from when on, the latest first."""
    of_model_ = select(ServingHistoryRow).where(ServingHistoryRow.model_id == model_id)
    rows = (await r.execute(of_model_.order_by(ServingHistoryRow.revision.desc()))).scalars()
    return tuple(
        Moment(
            revision=row.revision,
            release=names[row.champion_id],
            from_us=row.from_us,
            action=row.action,
            by=row.by,
            why=row.why,
        )
        for row in rows
    )


def _served(plan: ModelPlan, state: State) -> Served:
    return Served(
        name=plan.name,
        release=plan.champion.name,
        version=plan.champion.version,
        artifact=plan.champion.artifact,
        upstream=plan.champion.upstream.address if plan.champion.upstream is not None else None,
        previous=plan.previous.name if plan.previous else None,
        candidate=plan.trial.candidate.name if plan.trial else None,
        canary_open=plan.trial is not None and plan.trial.canary_open,
        flags=tuple(switch_in(state, flag) for flag in of_model(plan.name).all()),
        halt=plan.halt,
        holds_waiting=plan.open_holds,
        four_eyes=plan.four_eyes,
    )
