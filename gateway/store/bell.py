"""The bell: a wake-up that never carries truth. Losing every ring costs its hearer at most one poll.

A port with three implementations and one suite: within one process (`LocalBell`), between processes on one SQLite file
(`DataVersionBell`), and over Redis (`gateway.store.bell_redis.RedisBell`).
"""

import asyncio
import sqlite3
from math import inf
from pathlib import Path
from typing import Protocol, Self

from gateway.store.writes import Writes

POLL_S = 0.010
FIRST_S = 0.001
"""How soon it is looked after a write; the pauses double up to the poll's."""
SELDOM_S = 0.25
"""How often it is looked while nothing is written, in case the kernel has not told."""
UNTIL_COMMITTED_S = 1.0
"""So long after a write its commit is looked for."""
MORE_S = 0.2
"""So long it is looked for more after a commit: another may have been written before it was seen."""
TOLD_S = 0.02
"""A commit of one's own is heard so much before its write, which the kernel tells at the next turn of the loop."""


class Listener:
    """One hearer of a bell; rings that arrive while it is busy are heard once, at its next wait."""

    def __init__(self, listeners: "set[Listener]") -> None:
        self._listeners = listeners
        self._rung = asyncio.Event()

    def __enter__(self) -> Self:
        self._listeners.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.discard(self)

    def hear(self) -> None:
        """Note a ring."""
        self._rung.set()

    async def wait(self, timeout_s: float) -> bool:
        """True as soon as the bell has rung since the last wait; False after `timeout_s` seconds of silence."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Bell(Protocol):
    """Wakes hearers, in this process or in others."""

    async def start(self) -> None:
        """Begin to carry rings from other processes."""

    async def close(self) -> None:
        """Stop carrying rings."""

    async def ring(self) -> None:
        """Wake every listener. Never raises: a bell that is down costs a poll."""

    def listen(self) -> Listener:
        """A listener, to be used as a context manager."""

    def state(self) -> str:
        """Either 'up' or, with a reason, 'down: …'; shown on the health page."""


class LocalBell:
    """A bell within one process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to stop."""

    async def ring(self) -> None:
        """Wake every listener of this process."""
        self.wake()

    def wake(self) -> None:
        """Wake every listener of this process, from the event loop's own thread."""
        for listener in tuple(self._listeners):
            listener.hear()

    def listen(self) -> Listener:
        """A listener, to be used as a context manager."""
        return Listener(self._listeners)

    def state(self) -> str:
        """Always up."""
        return "up"


class DataVersionBell(LocalBell):
    """A bell between processes that share a SQLite file: `PRAGMA data_version` changes when another connection commits.

    The pragma costs 2 µs and is polled every 10 ms on a connection of its own, once something was written to the file.
    Polled all the time it would cost a hundred times that: each poll wakes the process.
    """

    def __init__(self, path: Path, *, poll_s: float = POLL_S) -> None:
        super().__init__()
        self._path = path
        self._poll_s = poll_s
        self._task: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection | None = None
        self._heard = 0
        """The version of the file at the last wake."""
        self._heard_s = self._written_s = -inf
        """When that was, and when something was written last."""

    async def ring(self) -> None:
        """Look now, not only at the next poll: whoever rings has committed, but perhaps nothing."""
        if self._connection is None:
            self.wake()
        else:
            self._look(self._connection)

    async def start(self) -> None:
        """Poll from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._poll(), name="bell")

    async def close(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _poll(self) -> None:
        connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        writes = Writes.to(self._path.absolute())
        self._connection, self._heard = connection, _data_version(connection)
        try:
            while True:
                await (asyncio.sleep(self._poll_s) if writes is None else self._pause(writes))
                self._look(connection)
        finally:
            self._connection = None
            connection.close()
            if writes is not None:
                writes.close()

    async def _pause(self, writes: Writes) -> None:
        """Until the next look is due: soon after a write, for it is written before it is committed, and else seldom."""
        loop = asyncio.get_running_loop()
        committed = self._heard_s >= self._written_s - TOLD_S
        since_s = loop.time() - self._written_s
        if since_s < (MORE_S if committed else UNTIL_COMMITTED_S):
            await asyncio.sleep(min(self._poll_s, max(FIRST_S, since_s)))
        elif await writes.come(SELDOM_S):
            self._written_s = loop.time()

    def _look(self, connection: sqlite3.Connection) -> None:
        """Wake every listener if something was committed since the last wake."""
        version = _data_version(connection)
        if version != self._heard:
            self._heard, self._heard_s = version, asyncio.get_running_loop().time()
            self.wake()

    def state(self) -> str:
        """Up while the file is polled."""
        return "up" if self._task is not None and not self._task.done() else "down: the ledger's file is not polled"


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
