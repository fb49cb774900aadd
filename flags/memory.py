"""A flag store in memory: for a gateway without a ledger, and for tests that need a real one in no time."""

from flags.definitions import digest_of
from flags.errors import FlagsChanged, UnknownFlagState
from flags.store import NO_FLAGS, FlagChange, Proposal, StoredState


class MemoryFlagStore:
    """A `FlagStore` that lives as long as its process."""

    def __init__(self) -> None:
        self._current = NO_FLAGS
        self._bodies = {NO_FLAGS.digest: NO_FLAGS.body}
        self._changes: list[FlagChange] = []

    async def current(self) -> StoredState:
        """The state in force; `NO_FLAGS` before the first change."""
        return self._current

    async def body(self, digest: str) -> bytes:
        """The canonical body of a state that was ever in force; raises `UnknownFlagState`."""
        if digest not in self._bodies:
            raise UnknownFlagState(digest=digest)
        return self._bodies[digest]

    async def history(self, flag: str | None = None, *, limit: int = 100) -> tuple[FlagChange, ...]:
        """The latest changes of a flag, or of all, the latest first."""
        found = [change for change in reversed(self._changes) if flag is None or change.flag == flag]
        return tuple(found[:limit])

    async def change(self, proposal: Proposal) -> StoredState:
        """Put a state in force; raises `FlagsChanged`, and writes nothing, unless the expected version is in force."""
        before = self._current
        if proposal.expected_version != before.version:
            raise FlagsChanged(current=before.version, expected=proposal.expected_version)
        after = StoredState(version=before.version + 1, digest=digest_of(proposal.body), body=proposal.body)
        self._bodies[after.digest] = after.body
        self._changes += [_record(proposal, flag, before, after) for flag in proposal.flags]
        self._current = after
        return after


def _record(proposal: Proposal, flag: str, before: StoredState, after: StoredState) -> FlagChange:
    return FlagChange(
        flag=flag,
        version=after.version,
        before=before.digest,
        after=after.digest,
        authorship=proposal.authorship,
    )
