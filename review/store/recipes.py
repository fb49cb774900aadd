"""The SQL of recipes, of the rule by which a model is retrained, and of how versions were trained."""

from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, update

from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.once import insert_once
from gateway.store.schema.learning import DatasetRow, RecipeRow, TrainingRuleRow
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.serves import ModelRow, ReleaseRow, VersionRow
from gateway.store.schema.work import OutcomeRow
from review.learning.recipe import Recipe, TrainingRecord, recipe_bytes, recipe_digest


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is retrained."""

    recipe: str | None = None
    """The SHA-256 of its recipe; none while it has none."""
    after_corrections: int | None = None
    """After so many new corrections it is retrained by itself; none: never."""
    recipe_required: bool = False
    """Whether the gate refuses versions of which nobody said how they were trained."""
    by: str = ""
    changed_us: int = 0


class Triggered(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is retrained by itself."""

    tenant_id: UUID
    model_id: UUID
    model: str
    after_corrections: int


async def keep_recipe(w: WriteSession, recipe: Recipe, at_us: int) -> str:
    """Keep a recipe under its digest, which is returned."""
    digest = recipe_digest(recipe)
    await insert_once(w, RecipeRow, sha256=digest, body=recipe_bytes(recipe).decode(), created_us=at_us)
    return digest


async def read_recipe(r: ReadSession, sha256: str) -> Recipe:
    """The recipe with this digest, which a row of the ledger names."""
    body = (await r.execute(select(RecipeRow.body).where(RecipeRow.sha256 == sha256))).scalar_one()
    return msgspec.json.decode(body, type=Recipe)


async def rule_of(r: ReadSession, model_id: UUID) -> Rule:
    """How a model is retrained; the empty rule where nobody said."""
    statement = select(TrainingRuleRow).where(TrainingRuleRow.model_id == model_id)
    row = (await r.execute(statement)).scalar_one_or_none()
    if row is None:
        return Rule()
    return Rule(**{name: getattr(row, name) for name in Rule.__struct_fields__})


async def set_rule(w: WriteSession, model_id: UUID, rule: Rule) -> None:
    """Put the rule in the place of the one before; the model's row is locked."""
    values = msgspec.structs.asdict(rule)
    changed = await w.execute(update(TrainingRuleRow).where(TrainingRuleRow.model_id == model_id).values(**values))
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        await w.execute(insert(TrainingRuleRow).values(model_id=model_id, **values))


_TRIGGERED = (TrainingRuleRow.after_corrections.is_not(None), TrainingRuleRow.recipe.is_not(None))
_ANY = Look(select(THERE).where(*_TRIGGERED).limit(1))


async def any_triggered(ledger: Ledger) -> bool:
    """Whether some model has a recipe and is retrained by itself. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_ANY))


async def triggered_models(r: ReadSession) -> list[Triggered]:
    """Every model that has a recipe and is retrained by itself."""
    statement = (
        select(ModelRow.tenant_id, ModelRow.id, ModelRow.name, TrainingRuleRow.after_corrections)
        .join(ModelRow, ModelRow.id == TrainingRuleRow.model_id)
        .where(*_TRIGGERED)
        .order_by(ModelRow.name)
    )
    return [
        Triggered(tenant_id=tenant_id, model_id=model_id, model=name, after_corrections=after or 0)
        for tenant_id, model_id, name, after in await r.execute(statement)
    ]


async def new_corrections(r: ReadSession, model_id: UUID) -> int:
    """How many outcomes that differ from the model's answer came since its latest dataset was frozen."""
    frozen = select(func.max(DatasetRow.created_us)).where(DatasetRow.model_id == model_id).scalar_subquery()
    statement = (
        select(func.count())
        .select_from(OutcomeRow)
        .join(PredictionRow, PredictionRow.id == OutcomeRow.prediction_id)
        .where(
            PredictionRow.model_id == model_id,
            OutcomeRow.differs.is_(True),
            OutcomeRow.created_us > func.coalesce(frozen, 0),
        )
    )
    return int((await r.execute(statement)).scalar_one())


async def training_of(r: ReadSession, release_id: UUID) -> TrainingRecord | None:
    """How a release's version was trained; none where nobody recorded or declared it."""
    statement = select(VersionRow.recipe).join(ReleaseRow, ReleaseRow.version_id == VersionRow.id)
    body = (await r.execute(statement.where(ReleaseRow.id == release_id))).scalar_one_or_none()
    return None if body is None else msgspec.json.decode(body, type=TrainingRecord)
