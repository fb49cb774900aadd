"""Where the flags are kept, and how well what is shown of them is known."""

import msgspec

from gateway.store.fetched_flags import fetched_flags
from gateway.store.flags import current_state
from gateway.store.ledger import ReadSession


class FlagsNow(msgspec.Struct, frozen=True, kw_only=True):
    """Where the flags are kept, and how well what is shown of them is known."""

    source: str
    """Either `embedded` or `unleash`."""
    url: str | None
    """The Unleash server's address."""
    state: str
    """The digest of the state in force."""
    revision: int
    """What the source calls it; 0 before the first."""
    known_us: int | None
    """When a gateway last heard that it is the latest; none for embedded flags, and where nothing was ever fetched."""
    error: str | None
    """Why gateways cannot fetch since."""


async def flags_now(r: ReadSession) -> FlagsNow:
    """Where the flags are kept, and how well they are known."""
    current = await current_state(r)
    fetched = None if r.flags.embedded else await fetched_flags(r)
    return FlagsNow(
        source=r.flags.source,
        url=r.flags.url or None,
        state=current.digest,
        revision=current.version,
        known_us=fetched.known_us if fetched is not None else None,
        error=fetched.error if fetched is not None else None,
    )
