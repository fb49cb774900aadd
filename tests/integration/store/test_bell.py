"""One suite for every bell: within a process, between processes on a SQLite file, and over Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.store import migrate
from gateway.store.bell import MORE_S, SELDOM_S, Bell, DataVersionBell, LocalBell
from gateway.store.bell_redis import RedisBell
from gateway.store.leases import move_cursor
from gateway.store.ledger import Ledger
from gateway.store.writes import Writes

HEARD_S = 5.0
SILENCE_S = 0.15


class Pair:
    """A bell that is heard, and a way to ring it from elsewhere."""

    def __init__(self, bell: Bell, ring: Callable[[], Awaitable[None]]) -> None:
        self.bell = bell
        self.ring = ring


async def _local() -> AsyncIterator[Pair]:
    bell = LocalBell()
    yield Pair(bell, bell.ring)


async def _data_version(folder: Path) -> AsyncIterator[Pair]:
    url = f"sqlite+aiosqlite:///{folder}/ledger.db"
    await migrate.upgrade(url)
    bell, elsewhere = DataVersionBell(folder / "ledger.db"), Ledger.open(url)

    async def ring() -> None:
        async with elsewhere.writing() as w:
            await move_cursor(w, "test", await w.now_us())

    await bell.start()
    await asyncio.sleep(0)  # the poller opens its file in its first step
    yield Pair(bell, ring)
    await bell.close()
    await elsewhere.close()


async def _redis(url: str) -> AsyncIterator[Pair]:
    bell, elsewhere = RedisBell(url), RedisBell(url)
    for each in (bell, elsewhere):
        await each.start()
        assert await each.connected(HEARD_S)
    yield Pair(bell, elsewhere.ring)
    for each in (bell, elsewhere):
        await each.close()


@pytest.fixture(params=["local", "data_version", "redis"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    made = {
        "local": _local,
        "data_version": lambda: _data_version(tmp_path),
        "redis": lambda: _redis(request.getfixturevalue("redis_url")),
    }[request.param]()
    async for pair in made:
        yield pair


async def test_a_ring_from_elsewhere_is_heard(pair: Pair) -> None:
    """A listener that waits wakes when the bell is rung elsewhere."""
    with pair.bell.listen() as listener:
        waiting = asyncio.create_task(listener.wait(HEARD_S))
        await asyncio.sleep(0)
        await pair.ring()
        assert await waiting is True


async def test_a_ring_while_busy_is_heard_once_at_the_next_wait(pair: Pair) -> None:
    """Rings between two waits are not lost and are heard as one."""
    with pair.bell.listen() as listener:
        for _ in range(3):
            await pair.ring()
        assert await listener.wait(HEARD_S) is True
        while await listener.wait(SILENCE_S):
            pass
        assert await listener.wait(SILENCE_S) is False


async def test_every_listener_hears(pair: Pair) -> None:
    """One ring wakes all listeners of a process."""
    with pair.bell.listen() as one, pair.bell.listen() as other:
        both = asyncio.gather(one.wait(HEARD_S), other.wait(HEARD_S))
        await asyncio.sleep(0)
        await pair.ring()
        assert await both == [True, True]


async def test_a_cancelled_wait_leaves_the_bell_usable(pair: Pair) -> None:
    """A listener whose wait was cancelled hears the next ring, and others are untouched."""
    with pair.bell.listen() as listener:
        waiting = asyncio.create_task(listener.wait(HEARD_S))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await pair.ring()
        assert await listener.wait(HEARD_S) is True


async def test_a_bell_that_carries_says_so(pair: Pair) -> None:
    """A bell in order is shown as up."""
    assert pair.bell.state() == "up"


async def test_a_commit_of_ones_own_is_heard_once(tmp_path: Path) -> None:
    """A process is not woken again for what its own ring has told; for another process's commit it is."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.db"
    await migrate.upgrade(url)
    bell = DataVersionBell(tmp_path / "ledger.db")
    mine, other = Ledger.open(url, bell=bell), Ledger.open(url)
    await bell.start()
    await asyncio.sleep(0)  # the poller opens its file in its first step
    with bell.listen() as listener:
        for number in range(20):
            async with mine.writing() as w:
                await move_cursor(w, "test", number)
            assert await listener.wait(HEARD_S) is True
        assert await listener.wait(SILENCE_S) is False
        async with other.writing() as w:
            await move_cursor(w, "test", 99)
        assert await listener.wait(HEARD_S) is True
    await bell.close()
    for ledger in (mine, other):
        await ledger.close()


async def test_redis_away_is_shown_and_never_raises() -> None:
    """A bell whose Redis is not there still wakes its own process, and says that it is down."""
    bell = RedisBell("redis://127.0.0.1:1/0")
    await bell.start()
    with bell.listen() as listener:
        await bell.ring()
        assert await listener.wait(HEARD_S) is True
    assert bell.state().startswith("down")
    await bell.close()


async def _shown_as_down(bell: RedisBell) -> None:
    async with asyncio.timeout(20):
        while bell.state() == "up":  # noqa: ASYNC110 - the state is what a person would look at
            await asyncio.sleep(0.02)


async def test_redis_taken_away_and_brought_back_is_heard_again(redis_server) -> None:
    """After Redis was away and is back, the bell rings once by itself and carries rings again."""
    bell, elsewhere = RedisBell(redis_server.url), RedisBell(redis_server.url)
    for each in (bell, elsewhere):
        await each.start()
        assert await each.connected(HEARD_S)
    with bell.listen() as listener:
        redis_server.stop()
        await _shown_as_down(bell)
        redis_server.start()
        assert await bell.connected(20)
        assert await elsewhere.connected(20)
        assert await listener.wait(HEARD_S) is True
        await elsewhere.ring()
        assert await listener.wait(HEARD_S) is True
    for each in (bell, elsewhere):
        await each.close()


async def test_a_write_is_told_once_and_only_of_its_file(tmp_path: Path) -> None:
    """The kernel tells of writes to the file and to its log, and not of those to its neighbours."""
    path = tmp_path / "ledger.db"
    writes = Writes.to(path)
    if writes is None:
        return  # a system that does not tell: there the bell polls
    for name, told in (("ledger.db", True), ("other.db", False), ("ledger.db-wal", True)):
        _write(tmp_path / name)
        assert await writes.come(HEARD_S if told else SILENCE_S) is told
        assert await writes.come(SILENCE_S) is False
    writes.close()


def _write(path: Path) -> None:
    path.write_bytes(b"x")


async def test_every_commit_of_many_is_heard(tmp_path: Path) -> None:
    """Whoever waits after each commit of another process hears each, however long it was quiet before."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.db"
    await migrate.upgrade(url)
    bell, other = DataVersionBell(tmp_path / "ledger.db"), Ledger.open(url)
    await bell.start()
    await asyncio.sleep(0)  # the poller opens its file in its first step
    with bell.listen() as listener:
        for number in range(30):
            async with other.writing() as w:
                await move_cursor(w, "test", number)
            assert await listener.wait(HEARD_S) is True
            if number % 10 == 0:
                assert await listener.wait(SELDOM_S + MORE_S) is False
    await bell.close()
    await other.close()
