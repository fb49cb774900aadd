"""Which sessions a plan keeps open within its memory, and what they take together. Pure.

What a request may need at any moment is always kept; what is only kept warm gives way, in this order:

| session of | gives way |
|---|---|
| a previous | first |
| a candidate that is only shadowed | next |
| a candidate whose canary is open | never |
| a champion | never |

Within a row the largest gives way first. A session that several releases share stands where the most needed one does.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Literal
from uuid import UUID

import msgspec

from gateway.errors import GatewayError
from gateway.inference.wish import session_bytes
from gateway.plan import ModelPlan, ReleasePlan

Place = Literal["champion", "canary", "candidate", "previous"]
PLACES: tuple[Place, ...] = ("champion", "canary", "candidate", "previous")
"""The most needed first."""
GIVES_WAY: frozenset[Place] = frozenset({"candidate", "previous"})
MIB = 1 << 20


class ModelsDoNotFit(GatewayError):
    """{release} cannot be kept open: {needed} MiB are needed and models_memory_max_bytes is {limit} MiB. {taken} Raise
    that setting, declare session.memory_bytes in the card if it takes less, or close a trial.
    """

    status = 409
    code = "models-do-not-fit"


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A session, what it is open for, and what it takes."""

    key: str
    release: str
    """The most needed of the releases that share it."""
    tenant_id: UUID
    place: Place
    bytes: int
    threads: int | None
    """As the card says; None where it says nothing."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept open, and what is left cold for want of memory."""

    max_bytes: int
    """0: no limit."""
    kept: tuple[Seat, ...]
    cold: tuple[Seat, ...] = ()

    @property
    def bytes(self) -> int:
        """What is kept takes this much."""
        return sum(seat.bytes for seat in self.kept)

    @property
    def over(self) -> bool:
        """Whether even what never gives way is too much."""
        return 0 < self.max_bytes < self.bytes

    def is_cold(self, release: ReleasePlan) -> bool:
        """Whether a release's session is left closed."""
        return any(seat.key == release.runs for seat in self.cold)

    def threads(self, default: int) -> int:
        """Threads of all sessions that are kept, in one process."""
        return sum(seat.threads or default for seat in self.kept)


def room_for(models: Collection[ModelPlan], max_bytes: int) -> Room:
    """The sessions of these models that are kept open within a memory; 0 is no limit."""
    kept = _seats(models)
    cold: list[Seat] = []
    giving_way = sorted((seat for seat in kept if seat.place in GIVES_WAY), key=_gives_way_after)
    while 0 < max_bytes < sum(seat.bytes for seat in kept) and giving_way:
        seat = giving_way.pop()
        kept.remove(seat)
        cold.append(seat)
    return Room(max_bytes=max_bytes, kept=tuple(kept), cold=tuple(cold))


def require_room(models: Collection[ModelPlan], max_bytes: int, release: ReleasePlan, tenant_id: UUID) -> None:
    """Return if everything that never gives way fits, and this release with it. Raises: ModelsDoNotFit."""
    room = room_for(models, max_bytes)
    if not room.over and not room.is_cold(release):
        return
    needed = [seat for seat in _seats(models) if seat.place not in GIVES_WAY or seat.key == release.runs]
    raise ModelsDoNotFit(
        release=release.name,
        needed=_mib(sum(seat.bytes for seat in needed)),
        limit=max_bytes // MIB,
        taken=_taken(needed, tenant_id),
    )


def making_way(before: Room, after: Room) -> Room | None:
    """What to keep of a plan while the next one is opened beside it, where both together take too much.

    Whatever only was kept warm, and is not wanted any more, leaves first; None where nothing has to, or can.
    """
    staying = {seat.key for seat in after.kept}
    leaving = tuple(seat for seat in before.kept if seat.place in GIVES_WAY and seat.key not in staying)
    together = {seat.key: seat.bytes for seat in (*before.kept, *after.kept)}
    if not leaving or not 0 < after.max_bytes < sum(together.values()):
        return None
    kept = tuple(seat for seat in before.kept if seat not in leaving)
    return Room(max_bytes=after.max_bytes, kept=kept, cold=(*before.cold, *leaving))


def oversubscribed(room: Room, default: int, processes: int, cores: int) -> bool:
    """Whether threads that somebody asked for are more than the cores; with one for each session there is no choice."""
    threads = room.threads(default)
    return threads > len(room.kept) and processes * threads > cores


def _seats(models: Collection[ModelPlan]) -> list[Seat]:
    """Each session once, the most needed first."""
    found: dict[str, Seat] = {}
    for place in PLACES:
        for model in models:
            for release in _in_place(model, place):
                if release.upstream is None and release.runs not in found:
                    found[release.runs] = _seat(model, release, place)
    return list(found.values())


def _in_place(model: ModelPlan, place: Place) -> Iterator[ReleasePlan]:
    if place == "champion":
        yield model.champion
    elif place == "previous" and model.previous is not None:
        yield model.previous
    elif model.trial is not None and place == ("canary" if model.trial.canary_open else "candidate"):
        yield model.trial.candidate


def _seat(model: ModelPlan, release: ReleasePlan, place: Place) -> Seat:
    wish = release.card.session
    return Seat(
        key=release.runs,
        release=release.name,
        tenant_id=model.tenant_id,
        place=place,
        bytes=session_bytes(release.bytes, wish),
        threads=wish.threads,
    )


def _gives_way_after(seat: Seat) -> tuple[int, int, str]:
    """Sorts what gives way first to the end."""
    return PLACES.index(seat.place), seat.bytes, seat.release


def _taken(seats: Iterable[Seat], tenant_id: UUID) -> str:
    """Which models take how much, the largest first; those of other tenants only as a sum."""
    own = sorted((seat for seat in seats if seat.tenant_id == tenant_id), key=lambda seat: (-seat.bytes, seat.release))
    others = sum(seat.bytes for seat in seats if seat.tenant_id != tenant_id)
    said = [f"{seat.release} ({seat.place}) takes {_mib(seat.bytes)} MiB" for seat in own]
    said += [f"models of others take {_mib(others)} MiB"] if others else []
    return f"{', '.join(said)}."


def _mib(size: int) -> int:
    """MiB, rounded up."""
    return -(-size // MIB)
