"""`kill -9` in the middle of every move of a rollout: it happened whole or not at all."""

import pytest

from gateway.times import SECOND_US
from tests.integration.rollouts.scene import FLAG, Rolling
from tests.killed import killed_at

HOUR_US = 3600 * SECOND_US


class Killed:
    """A scene whose moves are made by processes that die."""

    def __init__(self, on: Rolling, url: str) -> None:
        self.on = on
        self._url = url

    async def dies(self, move: str, reach: str, state: str, events: int) -> None:
        """Killed before its commit the move has left nothing and is made again; killed after it, it is made."""
        before, told = await self._stands(), len(await self.on.told())
        at_us = (await self.on.shown()).since_us + HOUR_US
        moving = ("tests.roll", self._url, self.on.traffic, move, FLAG, at_us)
        await killed_at("commit", 1, *moving)
        assert (await self._stands(), len(await self.on.told())) == (before, told)
        await killed_at("committed", 1, *moving)
        assert await self._stands() == (reach, state)
        assert len(await self.on.told()) == told + events

    async def _stands(self) -> tuple[str, str]:
        return await self.on.reach(), (await self.on.shown()).state


@pytest.fixture
def killed(on_both: Rolling, ledger_url: str) -> Killed:
    """The scene, once on each database."""
    return Killed(on_both, ledger_url)


async def test_a_killed_move_happened_whole_or_not_at_all(killed: Killed) -> None:
    """A step with its flag and a pause without one: flag, rollout and events tell one story each time."""
    await killed.on.start("1% 1h", "10% 1h")
    await killed.dies("look", "10 % of requests", "running", events=2)
    await killed.on.flip(on=False)
    await killed.dies("look", "nobody", "paused", events=1)
