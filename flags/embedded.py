"""Flags defined here, in Unleash's own JSON: `EmbeddedFlags` changes them, `AdoptedFlags` answers.

A change is validated, compared and swapped in the store; each process that answers requests then adopts it, when the
bell rings or at the latest when it next polls.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from flags.answer import NOTHING_LOADED, FlagView, all_failed
from flags.context import ENVIRONMENT, RequestFacts
from flags.definitions import State, state_from
from flags.engine import load_canonical
from flags.errors import FlagsChanged, ReasonMissing
from flags.folding import FoldedFlags
from flags.shown import shown_state
from flags.slicing import reads_in_slices
from flags.source import EMBEDDED, SourceHealth
from flags.store import Authorship, FlagChange, FlagStore, Proposal, StoredState
from flags.validation import validated

_ATTEMPTS: Final = 5

Edit = Callable[[State], State]
"""A pure edit of a state; it may be applied again to a newer one."""


async def _nothing() -> None:
    """Nothing is to be done first."""


class EmbeddedFlags:
    """The definitions in a store, read as values and changed by validated compare-and-swap."""

    def __init__(self, store: FlagStore) -> None:
        self._store = store

    async def current(self) -> StoredState:
        """The state in force with the version that a change may expect."""
        return await self._store.current()

    async def state(self) -> State:
        """The definitions in force."""
        return shown_state((await self._store.current()).body)

    async def state_at(self, digest: str) -> State:
        """The definitions that had this digest; raises `UnknownFlagState`."""
        return shown_state(await self._store.body(digest))

    async def history(self, flag: str | None = None, *, limit: int = 100) -> tuple[FlagChange, ...]:
        """The latest changes of a flag, or of all, the latest first."""
        return await self._store.history(flag, limit=limit)

    async def change(
        self, edit: Edit, flags: tuple[str, ...], authorship: Authorship, *, expected_version: int | None = None
    ) -> StoredState:
        """Put the edited state in force and return it; an edit that changes nothing writes nothing.

        With `expected_version` somebody else's change in between raises `FlagsChanged`; without, the edit is made to
        what is then in force. Raises `InvalidFlags` for a state that the engine would not read as it is written, and
        `ReasonMissing` without author or reason.
        """
        _require_reason(authorship)
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._try_change(edit, flags, authorship, expected_version)
            except FlagsChanged:
                if expected_version is not None:
                    raise
        return await self._try_change(edit, flags, authorship, expected_version)

    async def _try_change(
        self, edit: Edit, flags: tuple[str, ...], authorship: Authorship, expected_version: int | None
    ) -> StoredState:
        current = await self._store.current()
        if expected_version not in (None, current.version):
            raise FlagsChanged(current=current.version, expected=expected_version)
        body = await asyncio.to_thread(_edited, current.body, edit)
        if body == current.body:
            return current
        return await self._store.change(
            Proposal(expected_version=current.version, body=body, flags=flags, authorship=authorship)
        )


class AdoptedFlags:
    """Flags as one process answers with them, a `FlagSource` that is told each state by whoever follows the store."""

    source: ClassVar[str] = EMBEDDED

    def __init__(self, environment: str = ENVIRONMENT) -> None:
        self.environment: Final = environment
        """The environment that every context names."""
        self._refreshing = asyncio.Lock()
        self._flags: FoldedFlags | None = None
        self._version: int | None = None
        self._known_us: int | None = None
        self._error: str | None = None

    async def adopt(
        self, state: StoredState, known_us: int, *, first: Callable[[], Awaitable[None]] = _nothing
    ) -> bool:
        """Answer with a state that was in force at `known_us`, such as that of a local snapshot.

        `first` is awaited when another state is ready, and before anything is answered with it.
        """
        async with self._refreshing:
            return await self._adopt(state, known_us, first)

    def confirm(self, known_us: int) -> None:
        """Note that the state in force was still the latest at `known_us`."""
        if self._flags is not None:
            self._known_us, self._error = known_us, None

    def complain(self, error: str) -> None:
        """Note what failed; the state in force stays, and grows old."""
        self._error = error

    def view(self, facts: RequestFacts) -> FlagView:
        """The three flags of the request's model, which is decided by them; never raises."""
        view = self.look(facts)
        self.asked(facts.model, view)
        return view

    def asked(self, model: str, view: FlagView) -> None:
        """Note that a request of the model is decided by these answers; here nobody wants to know."""

    def look(self, facts: RequestFacts) -> FlagView:
        """The three flags of the request's model, which may still not be decided by them; never raises."""
        flags = self._flags
        if flags is None:
            return NOTHING_LOADED
        try:
            return flags.view(facts)
        except Exception as error:  # noqa: BLE001  whatever fails here, the request is decided on the safe side
            self._error = type(error).__name__
            return all_failed(flags.digest)

    @property
    def state(self) -> str | None:
        """The digest of the state in force, None while nothing was ever loaded."""
        return self._flags.digest if self._flags else None

    @property
    def revision(self) -> int:
        """What the source calls the state in force, 0 while nothing was ever loaded."""
        return self._version or 0

    @property
    def kept(self) -> int:
        """How many of the engine's answers are kept."""
        return self._flags.kept if self._flags else 0

    def age_s(self, now_us: int) -> float:
        """The seconds since the state in force was last known to be the latest; infinite before the first time."""
        return math.inf if self._known_us is None else max(0.0, (now_us - self._known_us) / 1_000_000)

    def health(self, now_us: int) -> SourceHealth:
        """How the source is."""
        return SourceHealth(
            source=self.source,
            loaded=self._flags is not None,
            state=self.state,
            version=self._version,
            age_s=self.age_s(now_us),
            warning=self._flags.warning if self._flags else None,
            error=self._error,
        )

    async def _adopt(self, state: StoredState, known_us: int, first: Callable[[], Awaitable[None]] = _nothing) -> bool:
        """Swap one reference to flags that are ready to answer; an equal state keeps the engine."""
        changed = state.digest != self.state
        if changed:
            fresh = await _folded(state.body)
            await first()
            before, self._flags = [self._flags], fresh
        self._version, self._known_us, self._error = state.version, known_us, None
        if changed:
            await asyncio.to_thread(_let_go, before)
        return changed


class EmbeddedSource(AdoptedFlags):
    """The flags of a store, which it reads itself whenever it is told to."""

    def __init__(self, store: FlagStore) -> None:
        super().__init__()
        self._store = store

    async def refresh(self, now_us: int) -> bool:
        """Follow the store; True when another state is in force now. What the store raises is noted and raised."""
        async with self._refreshing:
            try:
                return await self._adopt(await self._store.current(), now_us)
            except Exception as error:
                self._error = type(error).__name__
                raise


def _edited(body: bytes, edit: Edit) -> bytes:
    """The canonical body of the edited state, validated; beside the loop, since it loads an engine."""
    return validated(edit(state_from(body)))


async def _folded(body: bytes) -> FoldedFlags:
    """The flags of a stored state: the engine is loaded beside the loop, the definitions are read on it, in slices.

    Read in a thread, they would keep the loop waiting for the interpreter's lock, five milliseconds at a time.
    """
    engine = await asyncio.to_thread(load_canonical, body)
    slices = reads_in_slices(body)
    while True:
        try:
            next(slices)
        except StopIteration as done:
            return FoldedFlags(engine, done.value)
        await asyncio.sleep(0)


def _let_go(last: list[FoldedFlags | None]) -> None:
    """Drop the last reference to flags beside the loop, since an engine takes milliseconds to free."""
    if (flags := last.pop()) is not None:
        flags.forget()


def _require_reason(authorship: Authorship) -> None:
    missing = [name for name in ("by", "why") if not getattr(authorship, name).strip()]
    if missing:
        raise ReasonMissing(missing=" and ".join(missing))
