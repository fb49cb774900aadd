"""Reads Unleash's event log as changes of models' flags, in the words of our history. Pure.

An event counts if it may change what a model's flag answers in our project and environment: the flag was made, archived
or revived, switched, given other strategies, variants or dependencies, or a segment that it refers to was changed. What
Unleash 6.10 and 8.2 write differs only in members that are not read here.

Unleash asks nobody for a reason, so ours is what was done; where it was done from here, the note of who asked and why
takes that place.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from flags.errors import NotAModelFlag
from flags.moments import moment_from
from flags.names import parse
from flags.unleash.admin import LoggedEvent
from flags.unleash.place import Place

ON, OFF = "feature-environment-enabled", "feature-environment-disabled"
DONE: Mapping[str, str] = {
    "feature-created": "made",
    "feature-archived": "archived",
    "feature-revived": "revived",
    "feature-deleted": "deleted",
    "feature-completed": "marked as completed",
    "feature-project-change": "moved to another project",
    ON: "switched on",
    OFF: "switched off",
    "feature-strategy-add": "given a strategy",
    "feature-strategy-update": "given a changed strategy",
    "feature-strategy-remove": "left without a strategy that it had",
    "feature-environment-variants-updated": "given other variants",
    "feature-variants-updated": "given other variants",
    "feature-dependency-added": "made to depend on another flag",
    "feature-dependency-removed": "made to depend on one flag less",
    "feature-dependencies-removed": "made to depend on no other flag",
    "features-imported": "imported",
    "feature-import": "imported",
}
"""What was done to a flag, by the type of the event."""
SEGMENTS: Mapping[str, str] = {"segment-updated": "changed", "segment-deleted": "deleted"}
BY = "unleash:"
LATE_US = 600_000_000
"""How much later than it was asked for here a switch may stand in Unleash's log and still be ours; clocks differ."""
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_TIME_MASK, _HIGH_MASK, _LOW_MASK = (1 << 48) - 1, (1 << 12) - 1, (1 << 62) - 1


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one flag, as the log tells it."""

    id: UUID
    """The same whenever it is read: of the server, the event, its time and the flag."""
    event: int
    flag: str
    at_us: int
    by: str
    why: str
    to: bool | None = None
    """What it was switched to; None where it was not switched."""
    simulation: str | None = None
    """The simulation that it rests on, where it was switched from here."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody asked for a switch here: it is the first of the flag's events behind `after` that switches so."""

    flag: str
    to: bool
    after: int
    by: str
    why: str
    at_us: int
    simulation: str | None = None
    """The simulation that the switch rests on."""


def changes_in(event: LoggedEvent, place: Place, segments: Mapping[int, Sequence[str]]) -> tuple[Change, ...]:
    """What an event changed of models' flags; `segments` tells which of them refer to a segment."""
    at_us = moment_from(event.created_at)
    if at_us is None or not _is_here(event, place):
        return ()
    return tuple(
        Change(
            id=_id(place, event, flag, at_us),
            event=event.id,
            flag=flag,
            at_us=at_us,
            by=f"{BY}{event.created_by or 'somebody'}",
            why=why,
            to={ON: True, OFF: False}.get(event.type),
        )
        for flag, why in _changed(event, segments)
    )


def noted(changes: Iterable[Change], notes: Iterable[Note]) -> tuple[Change, ...]:
    """The changes, oldest first, each switch that was asked for here with who asked for it and why."""
    open_ = list(notes)
    told = []
    for change in changes:
        note = next((one for one in open_ if _is_of(one, change)), None)
        if note is not None:
            open_.remove(note)
            change = msgspec.structs.replace(change, by=note.by, why=note.why, simulation=note.simulation)  # noqa: PLW2901
        told.append(change)
    return tuple(told)


def segments_in(body: bytes) -> dict[int, list[str]]:
    """Which models' flags of a feature state refer to each segment."""
    found: dict[int, list[str]] = {}
    for feature in msgspec.json.decode(body, type=_State).features:
        for strategy in feature.strategies:
            for segment in strategy.segments:
                if _is_models(feature.name):
                    found.setdefault(segment, []).append(feature.name)
    return {segment: sorted(set(flags)) for segment, flags in found.items()}


class _Strategy(msgspec.Struct, frozen=True, kw_only=True):
    segments: tuple[int, ...] = ()


class _Feature(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    strategies: tuple[_Strategy, ...] = ()


class _State(msgspec.Struct, frozen=True, kw_only=True):
    features: tuple[_Feature, ...] = ()


def _is_here(event: LoggedEvent, place: Place) -> bool:
    return event.project in (None, "", place.project) and event.environment in (None, "", place.environment)


def _changed(event: LoggedEvent, segments: Mapping[int, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each flag with what was done to it."""
    if event.type in DONE and event.feature_name is not None and _is_models(event.feature_name):
        yield event.feature_name, f"In Unleash it was {DONE[event.type]}{_detail(event)}."
    elif event.type in SEGMENTS:
        segment = event.data or event.pre_data
        if isinstance(segment, dict) and isinstance(segment.get("id"), int):
            for flag in segments.get(segment["id"], ()):
                yield flag, f"In Unleash its segment '{segment.get('name')}' was {SEGMENTS[event.type]}."


def _detail(event: LoggedEvent) -> str:
    """The percentages of a rollout, where those differ."""
    before, after = _rollout(event.pre_data), _rollout(event.data)
    if before == after:
        return ""
    return f", at {after} %" if before is None else f", from {before} % to {after} %" if after is not None else ""


def _rollout(data: Any) -> str | None:
    parameters = data.get("parameters") if isinstance(data, dict) else None
    rollout = parameters.get("rollout") if isinstance(parameters, dict) else None
    return str(rollout) if rollout is not None else None


def _is_models(flag: str) -> bool:
    try:
        parse(flag)
    except NotAModelFlag:
        return False
    return True


def _is_of(note: Note, change: Change) -> bool:
    same = (note.flag, note.to) == (change.flag, change.to)
    return same and change.event > note.after and abs(change.at_us - note.at_us) <= LATE_US


def _id(place: Place, event: LoggedEvent, flag: str, at_us: int) -> UUID:
    """A UUIDv7 of the event's time whose other bits are drawn from what it is."""
    told = "\n".join((place.url, place.project, place.environment, str(event.id), event.created_at, flag))
    drawn = int.from_bytes(hashlib.sha256(told.encode()).digest()[:10], "big")
    time = (at_us // 1000 & _TIME_MASK) << 80
    return UUID(int=time | _VERSION_7 | (drawn >> 62 & _HIGH_MASK) << 64 | _VARIANT | drawn & _LOW_MASK)
