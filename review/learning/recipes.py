"""Recipes as operators declare them, and the rule by which a model is retrained."""

import asyncio
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.models import known_model
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.learning.errors import NoRecipe
from review.learning.recipe import Recipe, recipe_digest
from review.learning.recipe_folder import read_named, recipe_names
from review.operators import operated_model, require_operator
from review.store.recipes import keep_recipe, new_corrections, read_recipe, rule_of, set_rule


class TrainingShown(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is retrained."""

    model: str
    recipe: Recipe | None
    """None while no recipe is declared."""
    recipe_sha256: str | None
    after_corrections: int | None
    """After so many new corrections it is retrained by itself; none: never."""
    new_corrections: int
    """How many came since the latest dataset was frozen."""
    recipe_required: bool
    """Whether the gate refuses releases of which nobody said how they were trained."""
    recipes: tuple[str, ...]
    """The recipes that this server offers; none where it runs none."""
    by: str
    changed_us: int


async def show_training(r: ReadSession, recipes: Path | None, tenant_id: UUID, name: str) -> TrainingShown:
    """How a model is retrained. Raises: UnknownModel."""
    model = await known_model(r, tenant_id, name)
    rule = await rule_of(r, model.id)
    return TrainingShown(
        model=name,
        recipe=await read_recipe(r, rule.recipe) if rule.recipe is not None else None,
        recipe_sha256=rule.recipe,
        after_corrections=rule.after_corrections,
        new_corrections=await new_corrections(r, model.id),
        recipe_required=rule.recipe_required,
        recipes=await asyncio.to_thread(recipe_names, recipes),
        by=rule.by,
        changed_us=rule.changed_us,
    )


async def declare_recipe(ledger: Ledger, recipes: Path | None, actor: Actor, name: str, chosen: str) -> TrainingShown:
    """Declare one of the server's recipes as a model's, with the digests of its files as they are now.

    Raises: UnknownModel, NotAllowed, RecipesOff, UnknownRecipe, RecipeRefused.
    """
    async with ledger.reading() as r:
        require_operator(actor, (await known_model(r, actor.tenant_id, name)).id)
    recipe = await asyncio.to_thread(read_named, recipes, chosen)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        at_us = await w.now_us()
        digest = await keep_recipe(w, recipe, at_us)
        data: dict[str, object] = {"recipe": digest, "name": recipe.name}
        await _change(w, actor, model, "recipe.declared", data, recipe=digest)
    async with ledger.reading() as r:
        return await show_training(r, recipes, actor.tenant_id, name)


async def set_trigger(
    ledger: Ledger, recipes: Path | None, actor: Actor, name: str, after: int | None
) -> TrainingShown:
    """Retrain a model by itself after so many new corrections, or never. Raises: UnknownModel, NotAllowed, NoRecipe."""
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        if after is not None and (await rule_of(w, model.id)).recipe is None:
            raise NoRecipe(model=name)
        data: dict[str, object] = {"after_corrections": after}
        kind = "training.trigger_set" if after is not None else "training.trigger_ended"
        await _change(w, actor, model, kind, data, after_corrections=after)
    async with ledger.reading() as r:
        return await show_training(r, recipes, actor.tenant_id, name)


async def require_recipe(
    ledger: Ledger, recipes: Path | None, actor: Actor, name: str, *, required: bool
) -> TrainingShown:
    """Let the gate refuse releases without a recipe, or let them pass. Raises: UnknownModel, NotAllowed."""
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        data: dict[str, object] = {"required": required}
        await _change(w, actor, model, "recipe.required", data, recipe_required=required)
    async with ledger.reading() as r:
        return await show_training(r, recipes, actor.tenant_id, name)


def has_changed(shown: TrainingShown, recipes: Path | None) -> bool:
    """Whether the declared recipe's files are not what they were, so that a training would be refused; blocking."""
    if shown.recipe is None or shown.recipe.name not in shown.recipes:
        return False
    return recipe_digest(read_named(recipes, shown.recipe.name)) != shown.recipe_sha256


async def _change(
    w: WriteSession, actor: Actor, model: ModelRow, kind: str, data: dict[str, object], **changes: object
) -> None:
    """Change the rule of a model with its event."""
    at_us = await w.now_us()
    before = await rule_of(w, model.id)
    await set_rule(w, model.id, msgspec.structs.replace(before, **changes, by=actor.by, changed_us=at_us))
    await append_event(w, kind, f"model:{model.name}", data, by=actor.by, tenant_id=actor.tenant_id, at_us=at_us)
