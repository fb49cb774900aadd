"""What a gateway process says about the sessions that it keeps open."""

from gateway import metrics
from gateway.inference.machine import cores
from gateway.registry.room import Room, Seat
from lockgate.health import Dependency, SessionHealth, SessionsHealth


def sessions_health(room: Room, threads: int) -> SessionsHealth:
    """The sessions of a plan; `threads` are those of one whose card says nothing."""
    return SessionsHealth(
        bytes=room.bytes,
        max_bytes=room.max_bytes,
        threads=room.threads(threads),
        cores=cores(),
        sessions=(
            *(_session(seat, "open", threads) for seat in room.kept),
            *(_session(seat, "cold", threads) for seat in room.cold),
        ),
    )


def count_sessions(health: SessionsHealth) -> None:
    """Put the sessions into the metrics; those that are gone do not stay there."""
    metrics.SESSION_BYTES.forget()
    for each in health.sessions:
        metrics.SESSION_BYTES.put(each.bytes, each.release, each.place, each.state)
    metrics.SESSIONS_MAX_BYTES.put(health.max_bytes)
    metrics.SESSION_THREADS.put(health.threads)
    metrics.CORES.put(health.cores)


def memory_states(room: Room) -> list[Dependency]:
    """Whether the models fit, where their memory is limited."""
    if not room.max_bytes:
        return []
    short = f"down: the models that must be open take {room.bytes} bytes of {room.max_bytes}"
    return [Dependency(name="model memory", state=short if room.over else "up")]


def _session(seat: Seat, state: str, threads: int) -> SessionHealth:
    return SessionHealth(
        release=seat.release, place=seat.place, state=state, bytes=seat.bytes, threads=seat.threads or threads
    )
