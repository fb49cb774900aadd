"""What a process says about itself, and what all of them together say."""

from collections.abc import Iterable

import msgspec

from gateway import metrics


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """Something a process needs or uses, and how it is."""

    name: str
    state: str
    """Either 'up' or, with a reason, 'down: …'."""

    @property
    def up(self) -> bool:
        """Whether it answers."""
        return self.state == "up"


class FlagsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The flags that a process answers with."""

    source: str
    """Either 'embedded' or 'unleash'."""
    state: str | None
    """The digest of the state in force; none while nothing was ever loaded."""
    revision: int | None
    """What the source calls that state."""
    age_s: float
    """How long ago it was last known to be the latest."""
    error: str | None
    """Why it could not be read or fetched since."""
    warning: str | None
    """The flags that can only be answered with off."""


class SessionHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A model's session in a process."""

    release: str
    """The one that needs it most."""
    place: str
    """Either 'champion', 'canary', 'candidate' or 'previous'."""
    state: str
    """Either 'open', or 'cold' where it is closed for want of memory."""
    bytes: int
    """What it is counted with."""
    threads: int


class SessionsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a process, and what they take."""

    bytes: int
    max_bytes: int
    """0: no limit."""
    threads: int
    cores: int
    sessions: tuple[SessionHealth, ...]


class ProcessHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a process is."""

    process: str
    ready: bool
    state: str
    """Such as 'ready', 'starting', 'draining', or 'restarting in 0.4 s: it ended with status 1'."""
    dependencies: tuple[Dependency, ...] = ()
    plan_revision: int | None = None
    flags: FlagsHealth | None = None
    sessions: SessionsHealth | None = None
    restarts: int = 0


class SystemHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How all processes of a `lockgate serve` are."""

    state: str
    """'ok', or 'degraded' when a process is not ready or a dependency is down."""
    processes: tuple[ProcessHealth, ...]


def together(processes: Iterable[ProcessHealth]) -> SystemHealth:
    """The health of several processes as one: the worst counts."""
    all_ = tuple(processes)
    whole = all(process.ready and all(one.up for one in process.dependencies) for process in all_)
    return SystemHealth(state="ok" if whole else "degraded", processes=all_)


def count(health: ProcessHealth) -> None:
    """Put the state of the dependencies into the metrics."""
    for dependency in health.dependencies:
        metrics.DEPENDENCY_UP.put(float(dependency.up), dependency.name)
    if health.plan_revision is not None:
        metrics.PLAN_REVISION.put(health.plan_revision)
    if health.flags is not None:
        metrics.FLAG_AGE.put(health.flags.age_s)
        metrics.FLAG_REVISION.put(health.flags.revision or 0, health.flags.source)
