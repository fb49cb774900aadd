"""What the entries about shadow runs come to: in each trial how many items were compared and differ; what was drawn.

With a shadow beside every answer there are as many of these entries as answers, so of those that begin alike only what
is their own is decoded; a drawn one is decoded whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from gateway.record.alike import Beginnings, OwnShadowed
from gateway.record.entries import Position, Shadowed
from gateway.record.frames import Frame
from gateway.record.reader import breathe, entry_in
from review.store.tallies import Runs

AT_A_TIME = 250
"""After so many entries, less than a millisecond's work, the processor is left to whoever waits for it."""


class DrawnRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of which some differing item was drawn to become a case, and where it stands."""

    entry: Shadowed
    position: Position


class ShadowRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of the traffic log tells of shadow runs."""

    by_trial: Mapping[UUID, Runs]
    drawn: tuple[DrawnRun, ...]


class _Counts(msgspec.Struct):
    """Of the entries that begin alike, or of a trial."""

    compared: int = 0
    differing: int = 0
    missing: int = 0

    def add(self, entry: Shadowed | OwnShadowed, differing: int) -> None:
        if entry.status == "answered":
            self.compared += entry.item_count
        else:
            self.missing += 1
        self.differing += differing

    def runs(self) -> Runs:
        return Runs(compared=self.compared, disagreements=self.differing, missing=self.missing)


def read_runs(segment: str, frames: Iterable[Frame]) -> ShadowRuns:
    """The runs that a segment's frames tell of; those of other entries tell of none. Raises: TrafficLogUnreadable."""
    beginnings, last = Beginnings(), None
    counts: defaultdict[UUID | None, _Counts] = defaultdict(_Counts)
    drawn: list[Frame] = []
    for number, found in enumerate(frames):
        if number % AT_A_TIME == 0:
            breathe()
        alike = beginnings.of(found.data)
        own = None if alike is None else alike.own(found.data)
        if alike is not None and isinstance(own, OwnShadowed):
            if alike is not last:
                assert isinstance(alike.entry, Shadowed)
                last, common, counted = alike, alike.entry, counts[alike.entry.trial]
            counted.add(own, len(own.differing))
            if own.draws and min(own.draws) < common.inclusion_probability:
                drawn.append(found)
        elif isinstance(entry := entry_in(segment, found), Shadowed):
            counts[entry.trial].add(entry, entry.differing_count)
            if entry.drawn_count:
                drawn.append(found)
    return ShadowRuns(
        by_trial={trial: each.runs() for trial, each in counts.items() if trial is not None},
        drawn=tuple(_drawn(segment, found) for found in drawn),
    )


def _drawn(segment: str, found: Frame) -> DrawnRun:
    entry = entry_in(segment, found)
    assert isinstance(entry, Shadowed)
    return DrawnRun(entry=entry, position=Position(segment, found.start))
