"""Where embedded flags are kept: a small port that the ledger implements, and the values that pass through it.

Every distinct state is stored once under its digest and never lost, since decisions are stamped with it. A change is a
compare-and-swap on the version; each flag it touches gets a record of who, why, before and after, in the same
transaction.
"""

from typing import Final, Protocol

from msgspec import Struct

from flags.definitions import State, body_of, digest_of


class StoredState(Struct, frozen=True, kw_only=True):
    """The state in force: its canonical body, the digest of that body, and the version that a change expects."""

    version: int
    digest: str
    body: bytes


class Authorship(Struct, frozen=True, kw_only=True):
    """Who changed flags, why and when; the second person who agreed and the simulation it rests on, where any."""

    by: str
    why: str
    at_us: int
    second_person: str | None = None
    simulation: str | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """A change that is asked for: the canonical body of the new state, and the flags that it touches."""

    expected_version: int
    body: bytes
    flags: tuple[str, ...]
    authorship: Authorship


class FlagChange(Struct, frozen=True, kw_only=True):
    """A change of one flag that was made, with the digests of the states before and after it."""

    flag: str
    version: int
    before: str
    after: str
    authorship: Authorship


class FlagStore(Protocol):
    """The states and changes of one flag source. tests/integration/flags/flag_store_suite.py says how one behaves."""

    async def current(self) -> StoredState:
        """The state in force; `NO_FLAGS` before the first change."""
        ...

    async def body(self, digest: str) -> bytes:
        """The canonical body of a state that was ever in force; raises `UnknownFlagState`."""
        ...

    async def history(self, flag: str | None = None, *, limit: int = 100) -> tuple[FlagChange, ...]:
        """The latest changes of a flag, or of all, the latest first."""
        ...

    async def change(self, proposal: Proposal) -> StoredState:
        """Put a state in force; raises `FlagsChanged`, and writes nothing, unless the expected version is in force."""
        ...


NO_FLAGS: Final = StoredState(version=0, body=body_of(State()), digest=digest_of(body_of(State())))
"""What is in force before anything was ever changed: no flags, so everything on its safe side."""
