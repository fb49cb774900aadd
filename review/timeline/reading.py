"""Reads the timeline from the outbox, by position: events about models and their flags, told in plain words."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from flags.errors import FlagsError
from flags.names import of_model
from flags.shown import shown_state
from flags.store import NO_FLAGS
from gateway.errors import UnknownModel
from gateway.store.events import Event, Span, events_about, events_on
from gateway.store.flags import states_at
from gateway.store.ledger import ReadSession
from gateway.store.models import model_names
from review.flag_switches import reach_of
from review.timeline.told import NOT_THERE, Entry, Facts, Happened, about, scalars, together, told

LIMIT = 50
LIMIT_MAX = 500


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which stretch of the timeline: behind `after`, the oldest first; or before `before`, or the latest."""

    model: str | None = None
    release: str = ""
    """Only what names this release, such as `sentiment@7`."""
    after: int | None = None
    before: int | None = None
    limit: int = LIMIT
    """How many events are read; several truths in a row are one entry."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the timeline, the latest entry first."""

    entries: tuple[Entry, ...]
    newest: int | None
    """The cursor for what comes after this stretch; none where nothing was found."""
    oldest: int | None
    """The cursor for what was before it."""
    more: bool
    """Whether there may be more on the side that was asked for."""


async def read_timeline(r: ReadSession, tenant_id: UUID, asked: Asked) -> Stretch:
    """A stretch of a tenant's timeline, of all models or of one. Raises: UnknownModel."""
    models = await model_names(r, tenant_id)
    if asked.model is not None:
        if asked.model not in models:
            raise UnknownModel(model=asked.model[:80])
        models = [asked.model]
    subjects = about(models, (flag for model in models for flag in of_model(model).all()))
    span = Span(subjects=subjects, after=asked.after, before=asked.before, limit=asked.limit, naming=asked.release)
    events = await events_on(r, tenant_id, span)
    entries = [told(one) for one in together(await _happened(r, events))]
    return Stretch(
        entries=tuple(reversed(entries)),
        newest=events[-1].position if events else None,
        oldest=events[0].position if events else None,
        more=len(events) == asked.limit,
    )


async def entries_about(r: ReadSession, tenant_id: UUID, subject: str, limit: int) -> tuple[Entry, ...]:
    """The last lines about one subject, the latest first, those included that have no position yet."""
    events = [event for event in await events_about(r, subject) if event.tenant_id == tenant_id]
    return tuple(told(one) for one in reversed(await _happened(r, events[-limit:])))


def entry_of(event: Event) -> Entry:
    """One event as a line, whether it has its position yet or not."""
    return told(_one(event, scalars(msgspec.json.decode(event.data))))


async def _happened(r: ReadSession, events: Sequence[Event]) -> list[Happened]:
    facts = [scalars(msgspec.json.decode(event.data)) for event in events]
    flips = [one for event, one in zip(events, facts, strict=True) if event.type == "flag.changed"]
    digests = {str(one.get(side)) for one in flips for side in ("before", "after")}
    states = (await states_at(r, digests) if digests else {}) | {NO_FLAGS.digest: NO_FLAGS.body}
    return [
        _one(event, _with_reach(one, states) if event.type == "flag.changed" else one)
        for event, one in zip(events, facts, strict=True)
    ]


def _one(event: Event, facts: Facts) -> Happened:
    return Happened(
        position=event.position or 0,
        first_position=event.position or 0,
        type=event.type,
        subject=event.subject,
        facts=facts,
        by=event.by,
        at_us=event.occurred_us,
    )


def _with_reach(facts: Facts, states: Mapping[str, bytes]) -> Facts:
    """The facts of a flip, with for whom the flag was on before and is on after it."""
    flag = str(facts.get("flag"))
    sides = {"was": _reach(states, facts.get("before"), flag), "now": _reach(states, facts.get("after"), flag)}
    return dict(facts) | sides


def _reach(states: Mapping[str, bytes], digest: object, flag: str) -> str:
    body = states.get(str(digest))
    if body is None:
        return "unknown"
    try:
        feature = shown_state(body).feature(flag)
    except FlagsError:
        return NOT_THERE
    return f"on for {reach_of(feature)}" if feature.enabled else "off"
