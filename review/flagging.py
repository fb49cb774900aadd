"""Flags as operators see and change them: what each one says, for whom, and a flip with who and why."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import msgspec

from flags.definitions import (
    Feature,
    State,
    canonical_json,
    feature_from,
    rolled_out,
    state_from,
    switched,
    with_feature,
)
from flags.embedded import Edit, EmbeddedFlags
from flags.errors import FlagsChanged, FlagsElsewhere, ReasonMissing, UnknownFlag
from flags.names import Kind, parse
from flags.shown import shown_state
from flags.store import Authorship, FlagChange, StoredState
from flags.validation import validated
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger
from gateway.store.models import find_model
from gateway.store.plans import plan_revision
from gateway.times import now_us
from review.actors import Actor
from review.flag_requests import FlagRequest, ask_flag, asked_of_flag, require_second_person
from review.flag_switches import Switch, switch_of
from review.operators import require_operator
from review.release.flag_control import lowered_by_flag
from review.simulation.simulations import require_about

HISTORY_MAX = 1_000


class FlagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flag as a line of the list, with its last change."""

    switch: Switch
    changed_by: str | None
    changed_us: int | None
    why: str | None


class FlagShown(msgspec.Struct, frozen=True, kw_only=True):
    """A flag with its definition in Unleash's JSON and its latest changes."""

    switch: Switch
    definition: Feature
    version: int
    """The version that a change may expect."""
    state: str
    """The digest of the state in force, with which decisions are stamped."""
    history: tuple[FlagChange, ...]
    request: FlagRequest | None
    """A change that waits for a second person."""


class Flipped(msgspec.Struct, frozen=True, kw_only=True):
    """A flag after a change."""

    switch: Switch
    changed: bool
    version: int
    state: str
    """The digest of the state in force now; an answer that carries it as `flag_state` was decided under it."""
    plan_revision: int
    """A gateway whose plan has this revision, or a later one, follows it."""
    request: FlagRequest | None = None
    """What waits for a second person instead."""
    elsewhere: str | None = None
    """The flag's page in Unleash, where it was switched; gateways follow at their next fetch, under another state."""


async def list_flags(ledger: Ledger, tenant_id: UUID) -> list[FlagLine]:
    """Every flag of the models, with its last change."""
    flags = _flags(ledger, tenant_id)
    state = await flags.state()
    last = _last_changes(await flags.history(limit=HISTORY_MAX))
    names = sorted(feature.name for feature in state.features if _is_models(feature.name))
    return [_line(switch_of(state, name), last) for name in names]


async def show_flag(ledger: Ledger, tenant_id: UUID, flag: str, limit: int = 20) -> FlagShown:
    """A flag with its definition and its latest changes. Raises: UnknownFlag, NotAModelFlag."""
    flags = _flags(ledger, tenant_id)
    current = await flags.current()
    state = shown_state(current.body)
    async with ledger.reading() as r:
        request = await asked_of_flag(r, tenant_id, flag, current.version)
    return FlagShown(
        switch=switch_of(state, flag),
        definition=state.feature(flag),
        version=current.version,
        state=current.digest,
        history=await flags.history(flag, limit=limit),
        request=request,
    )


async def flag_history(ledger: Ledger, tenant_id: UUID, flag: str, limit: int) -> tuple[FlagChange, ...]:
    """The latest changes of a flag, the latest first."""
    return await _flags(ledger, tenant_id).history(flag, limit=min(limit, HISTORY_MAX))


async def flip(
    ledger: Ledger,
    actor: Actor,
    flag: str,
    *,
    on: bool,
    why: str,
    expected_version: int | None = None,
    simulation: UUID | None = None,
) -> Flipped:
    """Switch a flag; its strategies stay.

    Raises: UnknownFlag, NotAModelFlag, NotAllowed, FlagsElsewhere, ReasonMissing, FlagsChanged, UnknownSimulation,
    SimulationOfOther, SimulationNotDone.
    """
    return await _change(
        ledger, actor, flag, lambda state: switched(state, flag, on=on), _Why(why, expected_version, simulation)
    )


async def define(
    ledger: Ledger,
    actor: Actor,
    flag: str,
    definition: bytes,
    *,
    why: str,
    expected_version: int | None = None,
    simulation: UUID | None = None,
) -> Flipped:
    """Put the whole definition of a flag in the place of the one before.

    Raises: UnknownFlag, NotAModelFlag, NotAllowed, FlagsElsewhere, InvalidFlags, ReasonMissing, FlagsChanged.
    """
    feature = feature_from(canonical_json(definition), flag)
    return await _change(
        ledger, actor, flag, lambda state: _with_known(state, feature), _Why(why, expected_version, simulation)
    )


async def roll_out(
    ledger: Ledger,
    actor: Actor,
    flag: str,
    percent: int,
    *,
    why: str,
    expected_version: int | None = None,
    simulation: UUID | None = None,
) -> Flipped:
    """Give a flag's one strategy this percentage of requests, sticky; its constraints stay.

    Raises: UnknownFlag, NotAModelFlag, SeveralStrategies, NotAllowed, FlagsElsewhere, ReasonMissing, FlagsChanged.
    """
    return await _change(
        ledger, actor, flag, lambda state: rolled_out(state, flag, percent), _Why(why, expected_version, simulation)
    )


class _Why(msgspec.Struct, frozen=True):
    """Why a change is made, to which version, and on which simulation it rests."""

    why: str
    expected_version: int | None
    simulation: UUID | None


async def _change(ledger: Ledger, actor: Actor, flag: str, edit: Edit, asked: _Why) -> Flipped:
    """Make a change, or let it wait for a second person where the model has four eyes and it lowers human control."""
    four_eyes = await _require_changeable(ledger, actor, flag, asked.simulation)
    simulation = str(asked.simulation) if asked.simulation is not None else None
    authorship = Authorship(by=actor.by, why=asked.why, at_us=now_us(), simulation=simulation)
    if not four_eyes:
        return await _made(ledger, actor, flag, edit, authorship, asked.expected_version)
    current = await _flags(ledger, actor.tenant_id).current()
    version = current.version
    if asked.expected_version not in (None, version):
        raise FlagsChanged(current=version, expected=asked.expected_version)
    before = state_from(current.body)
    after = state_from(await asyncio.to_thread(lambda: validated(edit(before))))
    lowered = lowered_by_flag(before, after, flag)
    if not lowered:
        return await _made(ledger, actor, flag, edit, authorship, version)
    if not asked.why.strip():
        raise ReasonMissing(missing="why")
    request = FlagRequest(
        flag=flag, version=version, definition=after.feature(flag), lowered=lowered, why=asked.why, by=actor.by,
        simulation=simulation,
    )  # fmt: skip
    async with ledger.writing() as w:
        await ask_flag(w, actor, request)
    unchanged = await _told(ledger, flag, current, changed=False)
    return msgspec.structs.replace(unchanged, request=request)


async def confirm_flag(ledger: Ledger, actor: Actor, flag: str, why: str) -> Flipped:
    """Make, as a second person, the change of a flag that another one asked for.

    Raises: UnknownFlag, NotAModelFlag, NotAllowed, NotAPerson, NoFlagRequest, SecondPersonForFlag, ReasonMissing,
    FlagsChanged.
    """
    await _require_changeable(ledger, actor, flag, None)
    current = await _flags(ledger, actor.tenant_id).current()
    async with ledger.reading() as r:
        found = await asked_of_flag(r, actor.tenant_id, flag, current.version)
    request = require_second_person(found, actor, flag)
    if not why.strip():
        raise ReasonMissing(missing="why")
    authorship = Authorship(
        by=request.by, why=f"{request.why} (confirmed: {why})", at_us=now_us(), second_person=actor.by,
        simulation=request.simulation,
    )  # fmt: skip
    edit: Edit = lambda state: with_feature(state, request.definition)  # noqa: E731
    return await _made(ledger, actor, flag, edit, authorship, request.version)


async def _require_changeable(ledger: Ledger, actor: Actor, flag: str, simulation: UUID | None) -> bool:
    """Whether the model of the flag has four eyes, if the actor may operate it and name the simulation."""
    model, _ = parse(flag)
    async with ledger.reading() as r:
        row = await find_model(r, actor.tenant_id, model)
        if row is None:
            raise UnknownFlag(flag=flag)
        require_operator(actor, row.id)
        if not ledger.flags.embedded:
            raise FlagsElsewhere(url=ledger.flags.url)
        await require_about(r, actor.tenant_id, simulation, model)
    return row.four_eyes


async def _made(
    ledger: Ledger, actor: Actor, flag: str, edit: Edit, authorship: Authorship, expected_version: int | None
) -> Flipped:
    flags = _flags(ledger, actor.tenant_id)
    before = await flags.current()
    after = await flags.change(edit, (flag,), authorship, expected_version=expected_version)
    return await _told(ledger, flag, after, changed=after.version != before.version)


async def _told(ledger: Ledger, flag: str, now: StoredState, *, changed: bool) -> Flipped:
    async with ledger.reading() as r:
        revision = await plan_revision(r)
    return Flipped(
        switch=switch_of(state_from(now.body), flag),
        changed=changed,
        version=now.version,
        state=now.digest,
        plan_revision=revision,
    )


def _with_known(state: State, feature: Feature) -> State:
    state.feature(feature.name)
    return with_feature(state, feature)


def _flags(ledger: Ledger, tenant_id: UUID) -> EmbeddedFlags:
    return EmbeddedFlags(LedgerFlagStore(ledger, tenant_id))


def _line(switch: Switch, last: Mapping[str, FlagChange]) -> FlagLine:
    change = last.get(switch.flag)
    if change is None:
        return FlagLine(switch=switch, changed_by=None, changed_us=None, why=None)
    said = change.authorship
    return FlagLine(switch=switch, changed_by=said.by, changed_us=said.at_us, why=said.why)


def _last_changes(history: tuple[FlagChange, ...]) -> dict[str, FlagChange]:
    return {change.flag: change for change in reversed(history)}


def _is_models(flag: str) -> bool:
    model, _, kind = flag.rpartition(".")
    return bool(model) and kind in set(Kind)
