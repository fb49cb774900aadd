"""What the gateway asks of its flags, wherever they come from.

Reading is synchronous, costs microseconds and never raises: what is unknown, not loaded or cannot be evaluated is off,
which is the safe side of all three flags. How stale is too stale, and what is answered then, is the gateway's policy.
"""

from typing import Final, Protocol

from msgspec import Struct

from flags.answer import FlagView
from flags.context import RequestFacts

EMBEDDED: Final = "embedded"
UNLEASH: Final = "unleash"


class FlagHome(Struct, frozen=True, kw_only=True):
    """Where the flags of this installation are kept and changed: here, or on an Unleash server at `url`."""

    source: str = EMBEDDED
    url: str = ""

    @property
    def embedded(self) -> bool:
        """Whether flags are changed here."""
        return self.source == EMBEDDED


class SourceHealth(Struct, frozen=True, kw_only=True):
    """How a flag source is, for the health page and the metrics.

    `state` is the digest in force; `age_s` the seconds since it was last known to be the latest, infinite before the
    first time; `warning` names flags that the engine can only answer with off; `error` is the last failed reading.
    """

    source: str
    loaded: bool
    state: str | None
    version: int | None
    age_s: float
    warning: str | None
    error: str | None


class FlagSource(Protocol):
    """A source of flags: embedded definitions here, an Unleash server elsewhere."""

    def view(self, facts: RequestFacts) -> FlagView:
        """The three flags of the request's model; never raises."""
        ...

    @property
    def state(self) -> str | None:
        """The digest of the state in force, None while nothing was ever loaded."""
        ...

    def age_s(self, now_us: int) -> float:
        """The seconds since the state in force was last known to be the latest; infinite before the first time."""
        ...

    def health(self, now_us: int) -> SourceHealth:
        """How the source is."""
        ...
