"""Which Unleash server is followed, and what may go wrong with it, by name. PURE.

| trouble | when | what it is most likely |
|---|---|---|
| `unreachable` | nobody answers at the address | the server is down, or `unleash_url` is wrong |
| `silent` | the server takes the request and does not answer in time | it hangs, or is far too slow |
| `refused` | it answers 401 or 403 | `unleash_token` is wrong, or not a backend token |
| `unexpected` | it answers with another status | a proxy, or a server in trouble |
| `unreadable` | it answers with something that is not a feature state | `unleash_url` is not that of Unleash's API |
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

TIMEOUT_S: Final = 2
"""How long a server may be silent before a request to it is given up."""
NO_ENVIRONMENT: Final = "default"
"""What Unleash's clients call an environment that nobody named."""
_REFUSED: Final = frozenset({401, 403})


class UnleashServer(Struct, frozen=True, kw_only=True):
    """An Unleash server and how it is followed. `url` ends in `/api`; `instance` names this process to it."""

    url: str
    token: str
    instance: str
    refresh_s: int
    usage_s: int
    """How often usage is told; 0: never."""

    @property
    def environment(self) -> str:
        """The environment that the token is for."""
        return environment_of(self.token)


class Trouble(StrEnum):
    """What is wrong with a server."""

    UNREACHABLE = "unreachable"
    SILENT = "silent"
    REFUSED = "refused"
    UNEXPECTED = "unexpected"
    UNREADABLE = "unreadable"


class Failure(Struct, frozen=True, kw_only=True):
    """A fetch that failed: what is wrong, and the sentence for people."""

    trouble: Trouble
    said: str


class Fetched(Struct, frozen=True, kw_only=True):
    """An answer with flags, as it came. `took_s` is how long the server took."""

    content: bytes
    etag: str
    took_s: float


class Unchanged(Struct, frozen=True, kw_only=True):
    """The server said that the state of the ETag is still its latest."""

    took_s: float


Heard = Fetched | Unchanged | Failure
"""What comes of one fetch."""


def refused(status: int) -> Failure:
    """What an answer with this status says."""
    if status in _REFUSED:
        return Failure(trouble=Trouble.REFUSED, said=f"The server refuses the token ({status}).")
    return Failure(trouble=Trouble.UNEXPECTED, said=f"The server answers with status {status}.")


def silent(seconds: int) -> Failure:
    """The server took the request and said nothing."""
    return Failure(trouble=Trouble.SILENT, said=f"The server does not answer within {seconds} s.")


def unreachable(why: str) -> Failure:
    """Nobody is there."""
    return Failure(trouble=Trouble.UNREACHABLE, said=f"The server cannot be reached ({why}).")


def unreadable(why: str) -> Failure:
    """Somebody answered, but with no feature state."""
    return Failure(trouble=Trouble.UNREADABLE, said=f"The server's answer is no feature state: {why}.")


def environment_of(token: str) -> str:
    """The environment that a token is for: `default:production.secret` is for `production`."""
    _, colon, rest = token.partition(":")
    named, dot, _ = rest.partition(".")
    return named if colon and dot and named else NO_ENVIRONMENT
