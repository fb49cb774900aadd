"""What the open models of a gateway take, as the plan and the settings say; each gateway process keeps its own."""

from uuid import UUID

import msgspec

from gateway.registry.room import Place, Room, Seat, room_for
from gateway.store.ledger import ReadSession
from gateway.store.serving import read_plan


class SessionNow(msgspec.Struct, frozen=True, kw_only=True):
    """A model's session."""

    release: str
    place: Place
    bytes: int


class MemoryNow(msgspec.Struct, frozen=True, kw_only=True):
    """What is open, what is left cold for want of memory, and what all of it takes, other tenants' models included."""

    bytes: int
    max_bytes: int
    """0: no limit."""
    over: bool
    kept: tuple[SessionNow, ...]
    """The tenant's own."""
    cold: tuple[SessionNow, ...]


async def memory_now(r: ReadSession, tenant_id: UUID, max_bytes: int) -> MemoryNow:
    """How much memory models take, for somebody of a tenant."""
    return shown(room_for((await read_plan(r)).models.values(), max_bytes), tenant_id)


def shown(room: Room, tenant_id: UUID) -> MemoryNow:
    """The room as somebody of a tenant may see it."""
    return MemoryNow(
        bytes=room.bytes,
        max_bytes=room.max_bytes,
        over=room.over,
        kept=_own(room.kept, tenant_id),
        cold=_own(room.cold, tenant_id),
    )


def _own(seats: tuple[Seat, ...], tenant_id: UUID) -> tuple[SessionNow, ...]:
    return tuple(
        SessionNow(release=seat.release, place=seat.place, bytes=seat.bytes)
        for seat in seats
        if seat.tenant_id == tenant_id
    )
