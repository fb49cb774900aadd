"""Switches a flag wherever it is kept: here, or in an Unleash server by its Admin API.

A switch in Unleash is noted before it is made, with who and why: Unleash knows only whose token it was. When its event
log is pulled, the note tells whose switch it was; it is taken back when Unleash refuses.
"""

from typing import NamedTuple
from uuid import UUID

from flags.errors import FlagsChanged, FlagsElsewhere, FlagsError, ReasonMissing, UnknownFlag
from flags.names import parse
from flags.shown import shown_state
from flags.store import StoredState
from flags.unleash.admin import ShownFeature, UnleashAdmin, opened_admin
from flags.unleash.admin_errors import UnleashSilent
from flags.unleash.place import Place
from gateway.store.flags import current_state
from gateway.store.ledger import Ledger
from gateway.store.models import find_model
from gateway.store.plans import plan_revision
from gateway.times import now_us
from review.actors import Actor
from review.errors import ReviewError
from review.flag_switches import switch_in
from review.flagging import Flipped, flip
from review.operators import require_operator
from review.simulation.simulations import require_about
from review.store.unleash_notes import note_asked, note_failed
from review.unleash.log import Note

LATEST = 20
"""How many events are looked at for the latest number, since the log is in the order of time."""


async def switch(
    ledger: Ledger,
    place: Place | None,
    actor: Actor,
    flag: str,
    *,
    on: bool,
    why: str,
    expected_version: int | None = None,
    simulation: UUID | None = None,
) -> Flipped:
    """Switch a flag; its strategies stay.

    Raises: UnknownFlag, NotAModelFlag, NotAllowed, ReasonMissing, FlagsChanged, what `flip` raises of a simulation;
    FlagsElsewhere where flags are an Unleash server's and there is no token to switch them there; and what the Admin
    API raises. FourEyesElsewhere where it would let answers out on one person's word.
    """
    if ledger.flags.embedded:
        return await flip(ledger, actor, flag, on=on, why=why, expected_version=expected_version, simulation=simulation)
    current, four_eyes = await _current(ledger, actor, flag, simulation)
    if place is None or not place.operated:
        raise FlagsElsewhere(url=place.link(flag) if place is not None else ledger.flags.url)
    if not why.strip():
        raise ReasonMissing(missing="why")
    if four_eyes and on and parse(flag)[1] == "automated":
        raise FourEyesElsewhere(flag=flag)
    if expected_version not in (None, current.version):
        raise FlagsChanged(current=current.version, expected=expected_version)
    async with opened_admin(place) as admin:
        changed = await _switch_there(ledger, admin, actor, flag, on=on, said=_Said(why, simulation))
    async with ledger.reading() as r:
        revision = await plan_revision(r)
    return Flipped(
        switch=switch_in(shown_state(current.body), flag),
        changed=changed,
        version=current.version,
        state=current.digest,
        plan_revision=revision,
        elsewhere=place.link(flag),
    )


async def _current(ledger: Ledger, actor: Actor, flag: str, simulation: UUID | None) -> tuple[StoredState, bool]:
    """The state in force, for who may operate the flag's model, and whether that asks for four eyes.

    Raises: UnknownFlag, NotAllowed, UnknownSimulation, SimulationOfOther, SimulationNotDone.
    """
    async with ledger.reading() as r:
        model = await find_model(r, actor.tenant_id, name := parse(flag)[0])
        if model is None:
            raise UnknownFlag(flag=flag)
        require_operator(actor, model.id)
        await require_about(r, actor.tenant_id, simulation, name)
        return await current_state(r), model.four_eyes


class FourEyesElsewhere(ReviewError):
    """'{flag}' lets answers out, its model asks for four eyes, and its flags are Unleash's: switch it on there, where
    change requests ask a second person."""

    status = 409
    code = "four-eyes-elsewhere"


class _Said(NamedTuple):
    """What is said of a switch."""

    why: str
    simulation: UUID | None


async def _switch_there(ledger: Ledger, admin: UnleashAdmin, actor: Actor, flag: str, *, on: bool, said: _Said) -> bool:
    """Switch a flag in Unleash, unless it stands so already; whether it was switched. Raises: FlagsError."""
    found = await admin.feature(flag)
    if found is None:
        raise UnknownFlag(flag=flag)
    if _stands(found, admin.place.environment) == on:
        return False
    after = max((event.id for event in await admin.events(limit=LATEST)), default=0)
    note = Note(
        flag=flag, to=on, after=after, by=actor.by, why=said.why, at_us=now_us(),
        simulation=str(said.simulation) if said.simulation is not None else None,
    )  # fmt: skip
    async with ledger.writing() as w:
        await note_asked(w, actor.tenant_id, note)
    try:
        await admin.switch(flag, on=on)
    except UnleashSilent:
        raise  # it may have been made all the same, and then the note is right
    except FlagsError as error:
        await _take_back(ledger, actor.tenant_id, note, error.code)
        raise
    return True


async def _take_back(ledger: Ledger, tenant_id: UUID, note: Note, code: str) -> None:
    async with ledger.writing() as w:
        await note_failed(w, tenant_id, note, code, now_us())


def _stands(found: ShownFeature, environment: str) -> bool | None:
    """Whether a flag is on in an environment; None where it is in none of this name."""
    return next((one.enabled for one in found.environments if one.name == environment), None)
