"""Follows one Unleash server for one process: `UnleashFlags` answers, `Following` keeps it up to date.

Nothing here is on the way of a request. The client fetches in its own threads and tells the loop what it heard; a state
is kept by whoever keeps states, made ready beside the loop, and swapped. The clock of staleness is ours: it stands at
the moment before the last answer that confirmed the state in force, whatever the client says of itself.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from flags.answer import FlagView
from flags.embedded import AdoptedFlags
from flags.errors import FlagsError
from flags.source import UNLEASH
from flags.store import StoredState
from flags.unleash.fetched import fetched_state
from flags.unleash.server import Failure, Fetched, Heard, UnleashServer, unreadable
from flags.unleash.telling import tell_usage
from flags.unleash.usage import Usage, bucket_of

if TYPE_CHECKING:
    from flags.unleash.client import Connection

Clock = Callable[[], int]

_SECOND_US: Final = 1_000_000


class UnleashFlags(AdoptedFlags):
    """The flags of an Unleash server as one process answers with them, and what it was asked."""

    source: ClassVar[str] = UNLEASH

    def __init__(self, environment: str, clock: Clock) -> None:
        super().__init__(environment)
        self.usage = Usage(clock())

    def asked(self, model: str, view: FlagView) -> None:
        """Count what a request was decided by."""
        self.usage.count(model, view)


class Keeper(Protocol):
    """Whoever keeps what was fetched. None of these raises, and none waits for a database."""

    async def fetched(self, state: StoredState, known_us: int) -> None:
        """Keep a state before anything is decided by it."""
        ...

    def confirmed(self, known_us: int) -> None:
        """The state that was kept last is still the latest."""
        ...

    def failed(self, failure: Failure) -> None:
        """A fetch failed."""
        ...

    def told(self, *, well: bool) -> None:
        """Usage was told to the server, or could not be."""
        ...


class Following:
    """What follows a server as long as `run` runs."""

    def __init__(self, server: UnleashServer, flags: UnleashFlags, keeper: Keeper, clock: Clock) -> None:
        self._server = server
        self._flags = flags
        self._keeper = keeper
        self._clock = clock
        self._heard: asyncio.Queue[tuple[Heard, int]] = asyncio.Queue()
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Follow until cancelled; then what was counted is told once more, as far as the server takes it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_open())
            tasks.create_task(self._listen())
            if self._server.usage_s:
                tasks.create_task(self._tell_usage())

    async def _stay_open(self) -> None:
        """Have a client fetch; one that the server did not come to know is replaced until it does."""
        tell = self._teller()
        while True:
            connection = self._connection = await asyncio.to_thread(_connected, self._server, tell)
            try:
                if await asyncio.to_thread(connection.open):
                    await asyncio.Event().wait()
            finally:
                await asyncio.to_thread(connection.close)
            await asyncio.sleep(self._server.refresh_s)

    def _teller(self) -> Callable[[Heard], None]:
        """What a client's threads call: it puts what they heard, and when, before the loop."""
        loop = asyncio.get_running_loop()

        def tell(heard: Heard) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._heard.put_nowait, (heard, self._clock()))

        return tell

    async def _listen(self) -> None:
        while True:
            await self._take(*await self._heard.get())

    async def _take(self, heard: Heard, at_us: int) -> None:
        """Act on what was heard at a moment."""
        if isinstance(heard, Failure):
            self._fail(heard)
            return
        known_us = at_us - round(heard.took_s * _SECOND_US)
        if isinstance(heard, Fetched) and not await self._adopted(heard, known_us):
            return
        self._flags.confirm(known_us)
        self._keeper.confirmed(known_us)

    async def _adopted(self, heard: Fetched, known_us: int) -> bool:
        """Answer with what was fetched, unless that is no feature state: then the one in force stays."""
        try:
            state = await asyncio.to_thread(fetched_state, heard.content)
            await self._flags.adopt(state, known_us, first=lambda: self._keeper.fetched(state, known_us))
        except FlagsError as error:
            self._fail(unreadable(str(error)))
            return False
        if self._connection is not None:
            self._connection.etag = heard.etag
        return True

    def _fail(self, failure: Failure) -> None:
        self._flags.complain(failure.said)
        self._keeper.failed(failure)

    async def _tell_usage(self) -> None:
        """Tell the server now and then, and at the end, how often each flag was on."""
        try:
            while True:
                await asyncio.sleep(self._server.usage_s)
                await self._tell_once()
        finally:
            await self._tell_once()

    async def _tell_once(self) -> None:
        now_us = self._clock()
        taken = self._flags.usage.take(now_us)
        bucket = bucket_of(taken, now_us)
        if bucket is None:
            return
        well = await asyncio.to_thread(tell_usage, self._server, bucket)
        if not well:
            self._flags.usage.give_back(taken)
        self._keeper.told(well=well)


def _connected(server: UnleashServer, tell: Callable[[Heard], None]) -> "Connection":
    """A connection that is not opened yet. The client is imported here, in a thread: that takes a while."""
    from flags.unleash.client import Connection

    return Connection(server, tell)
