"""A ledger with a small world in it, a clock that the test moves, and the people as actors."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from gateway.store.ledger import Ledger
from gateway.times import SECOND_US
from review.actors import Actor
from tests.worlds import START_US, World, build_world


class Clock:
    """The time of a test, in microseconds UTC."""

    def __init__(self) -> None:
        self.now = START_US

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let some seconds pass."""
        self.now += round(seconds * SECOND_US)


def actor_of(world: World, name: str, *, roles: frozenset[str] | None = None) -> Actor:
    """A person of the world, with the role that the world gave them."""
    given = roles or frozenset({"lead" if name.startswith("l") else "reviewer"})
    return Actor(
        kind="person",
        id=world.people[name],
        name=name.title(),
        email=f"{name}@example.org",
        tenant_id=world.tenant_id,
        roles=frozenset((role, None) for role in given),  # type: ignore[misc]
    )


class Desk:
    """What a test of the desk has in hand."""

    def __init__(self, ledger: Ledger, clock: Clock, world: World) -> None:
        self.ledger, self.clock, self.world = ledger, clock, world

    def actor(self, name: str) -> Actor:
        """A person of the world."""
        return actor_of(self.world, name)


@pytest.fixture
def clock() -> Clock:
    """The time, which the test moves."""
    return Clock()


@pytest.fixture
async def ledger(ledger_url: str, clock: Clock) -> AsyncIterator[Ledger]:
    """A migrated ledger on each database, whose clock the test moves."""
    opened = Ledger.open(ledger_url, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(ledger: Ledger, clock: Clock) -> Desk:
    """A world with one queue in which one verdict decides."""
    async with ledger.writing() as w:
        world = await build_world(w)
    return Desk(ledger, clock, world)


def key_of(case_id: UUID, name: str) -> str:
    """A post_key that is the person's own for a case."""
    return f"{name}-{case_id}"[:64]
