"""Makes the flags of models in an Unleash server: what is there stays, and what is missing is made, off."""

from collections.abc import Sequence

import msgspec

from flags.names import of_model
from flags.unleash.admin import UnleashAdmin, opened_admin
from flags.unleash.admin_errors import NoAdminToken, NoUnleash
from flags.unleash.place import Place
from gateway.store.ledger import Ledger
from gateway.store.models import known_model, model_names
from review.actors import Actor
from review.operators import require_operator
from review.unleash.steps import TYPE, Step, description_of, steps_of, strategy_of


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in Unleash, or would be."""

    project: str
    environment: str
    models: tuple[str, ...]
    steps: tuple[Step, ...]
    """Empty when nothing is missing."""
    dry_run: bool


async def make_flags(
    ledger: Ledger, place: Place | None, actor: Actor, models: Sequence[str], *, dry_run: bool
) -> Made:
    """Make what is missing of the flags of these models, or of all where none is named.

    Raises: NoUnleash, NoAdminToken, UnknownModel, NotAllowed, and what the Admin API raises: what was done until then
    stays, and the next run goes on from there.
    """
    place = administered(place)
    names = await _operated(ledger, actor, models)
    done: list[Step] = []
    async with opened_admin(place) as admin:
        for flag in (flag for name in names for flag in of_model(name).all()):
            steps = await _missing(admin, flag)
            for step in () if dry_run else steps:
                await _do(admin, step)
            done += steps
    return Made(project=place.project, environment=place.environment, models=names, steps=tuple(done), dry_run=dry_run)


def administered(place: Place | None) -> Place:
    """The place, if flags can be changed there. Raises: NoUnleash, NoAdminToken."""
    if place is None:
        raise NoUnleash
    if not place.operated:
        raise NoAdminToken(link=place.link())
    return place


async def _operated(ledger: Ledger, actor: Actor, models: Sequence[str]) -> tuple[str, ...]:
    """The names of the models, each of which the actor may operate. Raises: UnknownModel, NotAllowed."""
    async with ledger.reading() as r:
        names = tuple(dict.fromkeys(models)) or tuple(await model_names(r, actor.tenant_id))
        for name in names:
            require_operator(actor, (await known_model(r, actor.tenant_id, name)).id)
    return names


async def _missing(admin: UnleashAdmin, flag: str) -> tuple[Step, ...]:
    found = await admin.feature(flag)
    tags = await admin.tags(flag) if found is not None else ()
    return steps_of(flag, found, tags, admin.place.environment)


async def _do(admin: UnleashAdmin, step: Step) -> None:
    if step.does == "create":
        await admin.create(step.flag, kind=TYPE, description=description_of(step.flag))
    elif step.tag is not None:
        await admin.add_tag(step.flag, step.tag)
    else:
        await admin.add_strategy(step.flag, strategy_of(step.flag))
