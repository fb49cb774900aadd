"""The guard as operators declare it and see it: what is watched after a promotion, and how the latest watch stands."""

from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from gateway.store.schema.serves import GuardAct, WatchState
from gateway.times import SECOND_US
from review.actors import Actor
from review.operators import operated_model
from review.release.declared import Declared
from review.release.errors import NothingDeclared, QuantileUnknowable, WatchesNothing
from review.release.guarding import Declaration, Figure
from review.release.intervals import quantile_ranks
from review.release.moving import require_why
from review.store.declared import GUARD
from review.store.guards import Watch, begin_watch, end_watch, latest_watch


class WatchShown(msgspec.Struct, frozen=True, kw_only=True):
    """How the watch on a promotion stands, or stood when it was over."""

    release: str
    state: WatchState
    act: GuardAct | None
    """What the guard did about a breach."""
    figures: tuple[Figure, ...]
    """As they were at the last look; none before the first."""
    told: str | None
    """Why it is over."""
    from_us: int
    until_us: int
    left_s: float
    """What is left of the bake time of a watch that runs."""
    looked_us: int | None
    """When the worker looked last; none while it shall look at once."""
    changed_us: int


class GuardShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared for a model, what was before, and how its latest watch stands."""

    model: str
    declared: Declared[Declaration] | None
    """None where nothing was ever declared; without a declaration in it nothing is watched any more."""
    history: tuple[Declared[Declaration], ...]
    """The latest first."""
    watch: WatchShown | None

    @property
    def declaration(self) -> Declaration | None:
        """What is in force."""
        return self.declared.declaration if self.declared is not None else None


async def set_guard(ledger: Ledger, actor: Actor, name: str, declaration: Declaration, why: str) -> GuardShown:
    """Declare what is watched after a promotion; one that bakes already is watched by it, too.

    Raises: ReasonMissing, UnknownModel, NotAllowed, WatchesNothing, QuantileUnknowable.
    """
    require_why(why)
    _require_sense(declaration)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        await GUARD.declare(w, model, declaration, by=actor.by, why=why)
        await begin_watch(w, model, by=actor.by)
        return await _shown(w, name, model.id)


async def clear_guard(ledger: Ledger, actor: Actor, name: str, why: str) -> GuardShown:
    """Watch nothing any more; a watch that runs ends.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NothingDeclared.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        if not await GUARD.clear(w, model, by=actor.by, why=why):
            raise NothingDeclared(model=name)
        await end_watch(w, model, by=actor.by, why=f"The guard was cleared: {why}")
        return await _shown(w, name, model.id)


async def show_guard(ledger: Ledger, tenant_id: UUID, name: str) -> GuardShown:
    """What is declared for a model, and how its latest watch stands. Raises: UnknownModel."""
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        return await _shown(r, name, model.id)


async def _shown(r: ReadSession, name: str, model_id: UUID) -> GuardShown:
    history = tuple(await GUARD.of(r, model_id))
    watch, now_us = await latest_watch(r, model_id), await r.now_us()
    return GuardShown(
        model=name,
        declared=history[0] if history else None,
        history=history,
        watch=_watch_shown(watch, now_us) if watch is not None else None,
    )


def _watch_shown(watch: Watch, now_us: int) -> WatchShown:
    left_us = watch.until_us - now_us if watch.state == "watching" else 0
    return WatchShown(
        release=watch.release,
        state=watch.state,
        act=watch.act,
        figures=watch.figures,
        told=watch.told,
        from_us=watch.from_us,
        until_us=watch.until_us,
        left_s=max(0, left_us) / SECOND_US,
        looked_us=watch.looked_us,
        changed_us=watch.changed_us,
    )


def _require_sense(declaration: Declaration) -> None:
    if not declaration.watches:
        raise WatchesNothing
    latency = declaration.latency
    if latency is not None and quantile_ranks(latency.min_sample, latency.quantile) is None:
        raise QuantileUnknowable(sample=latency.min_sample, quantile=f"{latency.quantile:.4g}")
