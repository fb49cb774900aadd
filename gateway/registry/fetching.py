"""Keeps what a gateway fetches from an Unleash server: first in a file of its own, then in the ledger.

No request waits for any of it. A state is in the file before anything is decided by it, and in the ledger as soon as
that can be reached, so that every decision can be replayed whatever was away when. A gateway boots from whichever of
the two knows the later state, with the age that it truly has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from flags.store import StoredState
from flags.unleash.following import Following, UnleashFlags
from flags.unleash.server import Failure, UnleashServer
from gateway.errors import LedgerUnavailable
from gateway.metrics import FLAG_FETCHES, FLAG_STATES_UNKEPT, FLAG_USAGE
from gateway.registry.kept_flags import KeptFlags, read_kept, write_kept
from gateway.store.fetched_flags import fetched_flags, keep_fetched, note_failure
from gateway.store.ledger import Ledger
from gateway.times import now_us

KEEP_S = 10.0
"""How often it is written down that the state in force is still the latest, and a ledger that was away is tried."""
AGAIN_S = 5.0

_log = structlog.get_logger()


class FlagKeeper:
    """What `flags.unleash.following.Following` tells what it fetched."""

    def __init__(self, ledger: Ledger, path: Path) -> None:
        self._ledger = ledger
        self._path = path
        self._latest: StoredState | None = None
        self._known_us = 0
        self._unkept: list[StoredState] = []
        self._written_us = 0
        """The `known_us` that the ledger was told last."""
        self._error: str | None = None
        self._error_written: str | None = None
        self._wake = asyncio.Event()

    async def boot(self, flags: UnleashFlags) -> None:
        """Answer with the last good state, from the ledger or the file, until the server is heard."""
        kept = await asyncio.to_thread(read_kept, self._path)
        if kept is not None:
            self._latest, self._known_us, self._unkept = kept.latest, kept.known_us, list(kept.unkept)
        with suppress(LedgerUnavailable):
            async with self._ledger.reading() as r:
                found = await fetched_flags(r)
            if found is not None and found.known_us is not None and found.known_us > self._known_us:
                self._latest, self._known_us = found.state, found.known_us
        if self._latest is not None:
            self._wake.set()
            await flags.adopt(self._latest, self._known_us)
            _log.info("flags_from_last_known", revision=self._latest.version, state=self._latest.digest)

    async def fetched(self, state: StoredState, known_us: int) -> None:
        """Keep a state in the file before anything is decided by it."""
        self._unkept = [other for other in self._unkept if other.digest != state.digest] + [state]
        self._latest, self._known_us = state, known_us
        await self._write_file()
        _log.info("flags_fetched", revision=state.version, state=state.digest)
        self._wake.set()

    def confirmed(self, known_us: int) -> None:
        """Note that the latest state still is the latest."""
        FLAG_FETCHES.add("confirmed")
        self._known_us = known_us
        if self._error is not None:
            _log.info("flags_fetched_again")
            self._error = None
            self._wake.set()

    def failed(self, failure: Failure) -> None:
        """Count a failure, and tell it once for each reason."""
        FLAG_FETCHES.add(failure.trouble.value)
        if failure.said != self._error:
            _log.warning("flags_not_fetched", trouble=failure.trouble.value, reason=failure.said)
            self._error = failure.said
            self._wake.set()

    def told(self, *, well: bool) -> None:
        """Count a report of usage."""
        FLAG_USAGE.add("told" if well else "failed")

    async def run(self) -> None:
        """Write down what is new at once, and what is still so now and then, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_S):
                    await self._wake.wait()
            self._wake.clear()
            await self._keep()

    async def _keep(self) -> None:
        """Write file and ledger; a ledger that is away is tried again."""
        if self._known_us > self._written_us:
            await self._write_file()
        with suppress(LedgerUnavailable):
            await self._write_ledger()
        FLAG_STATES_UNKEPT.put(len(self._unkept))

    async def _write_ledger(self) -> None:
        """Tell the ledger what it does not know yet. Raises: LedgerUnavailable."""
        states, latest, known_us, error = tuple(self._unkept), self._latest, self._known_us, self._error
        if known_us == self._written_us and error == self._error_written:
            return
        async with self._ledger.writing(ring=bool(states)) as w:
            if latest is not None:
                await keep_fetched(w, states, latest, known_us)
            if error is not None:
                await note_failure(w, error)
        self._written_us, self._error_written = known_us, error
        kept = {state.digest for state in states}
        self._unkept = [state for state in self._unkept if state.digest not in kept]

    async def _write_file(self) -> None:
        if self._latest is None:
            return
        kept = KeptFlags(latest=self._latest, known_us=self._known_us, unkept=tuple(self._unkept))
        try:
            await asyncio.to_thread(write_kept, self._path, kept)
        except OSError as error:
            _log.warning("flags_not_kept_here", error=type(error).__name__)


@asynccontextmanager
async def fetching(server: UnleashServer, ledger: Ledger, path: Path) -> AsyncIterator[UnleashFlags]:
    """The flags of a server, followed in the background until the block ends; the last known until it answers."""
    flags = UnleashFlags(server.environment, now_us)
    keeper = FlagKeeper(ledger, path)
    await keeper.boot(flags)
    following = Following(server, flags, keeper, now_us)
    tasks = [asyncio.create_task(_insisting(run), name="flags") for run in (keeper.run, following.run)]
    try:
        yield flags
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _insisting(run: Callable[[], Awaitable[None]]) -> None:
    """Run until cancelled; what must never happen is logged, and does not end the following."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do without it
            _log.error("flags_following_failed", exc_info=error)
        await asyncio.sleep(AGAIN_S)
