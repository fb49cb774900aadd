"""Pulls what was changed in Unleash into our history: who, when, what, and the states before and after it.

The log is read backwards from its end, a page at a time, to where the last pull was. Every change has an id that is the
same at each reading, so reading it again records nothing twice, whatever was cut off and wherever it went on.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import structlog

from flags.names import parse
from flags.source import UNLEASH
from flags.store import Authorship, FlagChange
from flags.unleash.admin import LoggedEvent, UnleashAdmin, opened_admin
from flags.unleash.place import Place
from gateway.store.fetched_flags import fetched_flags, first_fetched, transitions
from gateway.store.flags import record_change, recorded_changes
from gateway.store.leases import move_cursor, read_cursor
from gateway.store.ledger import Ledger, ReadSession
from review.store.unleash_notes import notes_since, tenants_of
from review.unleash.between import Followed, Sides, is_history, sides_of
from review.unleash.log import LATE_US, Change, changes_in, noted, segments_in

CONSUMER_MAX = 200
PAGE = 100
PAGES_MAX = 20
"""How far back one pull reads: 2,000 entries since the last one, of whatever flags."""

log = structlog.get_logger()


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows before a pull."""

    followed: Followed
    read_to: int
    """The number of the latest event that was read."""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    change: Change
    sides: Sides
    tenants: Sequence[UUID]


async def pull_changes(ledger: Ledger, place: Place, now_us: int, page: int = PAGE) -> int:
    """Record what was changed since the last pull, and return how many changes that were.

    A change that no fetched state contains yet waits for a later pull, with all that came after it. Raises: what the
    Admin API raises.
    """
    async with ledger.reading() as r:
        known = await _known(r, place)
    if known is None:
        return 0
    async with opened_admin(place) as admin:
        events = {event.id: event for event in await _latest(admin, known.read_to, page)}
    segments = segments_in(known.followed.current.body)
    changes = [change for _, event in sorted(events.items()) for change in changes_in(event, place, segments)]
    told, waits = await _told(ledger, [one for one in changes if is_history(one, known.followed)], known, now_us)
    read_to = waits.event - 1 if waits is not None else max(events, default=0)
    if told or read_to != known.read_to:
        await _record(ledger, place, told, read_to)
    return len(told)


async def _known(r: ReadSession, place: Place) -> _Known | None:
    """None while no flags were ever fetched: then nothing rests on them."""
    fetched, first = await fetched_flags(r), await first_fetched(r)
    if fetched is None or first is None:
        return None
    followed = Followed(first=first, transitions=await transitions(r), current=fetched.state)
    return _Known(followed=followed, read_to=await read_cursor(r, _consumer(place)))


async def _latest(admin: UnleashAdmin, read_to: int, size: int) -> list[LoggedEvent]:
    """The latest events, at least a page of them and as many pages as lead to what was read before.

    A page is read in any case, since numbers become visible in the order of commits and not in their own.
    """
    found: list[LoggedEvent] = []
    for number in range(PAGES_MAX):
        page = await admin.events(limit=size, offset=number * size)
        found += page
        if number == 0 and page and max(map(_number, page)) < read_to:
            read_to = 0  # the server was restored: its numbers begin anew from an earlier one
        if len(page) < size or min(map(_number, page)) <= read_to:
            return found
    log.warning("unleash_log_read_in_part", events=len(found))
    return found


async def _told(
    ledger: Ledger, changes: Sequence[Change], known: _Known, now_us: int
) -> tuple[list[_Told], Change | None]:
    """The changes that are not recorded yet, up to the first whose states are not known yet; and that one."""
    if not changes:
        return [], None
    flags = {change.flag for change in changes}
    async with ledger.reading() as r:
        recorded = await recorded_changes(r, [change.id for change in changes])
        notes = await notes_since(r, flags, min(change.at_us for change in changes) - LATE_US)
        tenants = await tenants_of(r, {parse(flag)[0] for flag in flags})
    told: list[_Told] = []
    for change in noted(changes, notes):
        of_model = tenants.get(parse(change.flag)[0], ())
        if change.id in recorded or not of_model:
            continue
        sides = sides_of(change, known.followed, now_us)
        if sides is None:
            return told, change
        told.append(_Told(change=change, sides=sides, tenants=of_model))
    return told, None


async def _record(ledger: Ledger, place: Place, told: Sequence[_Told], read_to: int) -> None:
    async with ledger.writing(ring=bool(told)) as w:
        for one in told:
            change = FlagChange(
                flag=one.change.flag,
                version=one.change.event,
                before=one.sides.before,
                after=one.sides.after,
                authorship=Authorship(
                    by=one.change.by, why=one.change.why, at_us=one.change.at_us, simulation=one.change.simulation
                ),
            )
            await record_change(w, one.tenants, UNLEASH, one.change.id, change)
        await move_cursor(w, _consumer(place), read_to)


def _consumer(place: Place) -> str:
    return f"unleash-log:{place.project}@{place.url}"[:CONSUMER_MAX]


def _number(event: LoggedEvent) -> int:
    return event.id
