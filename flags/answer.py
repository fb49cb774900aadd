"""What a flag answers, and why: values that a request keeps from its first to its last line."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Reason(StrEnum):
    """Why a flag answered as it did."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    """The state in force has no flag of this name."""
    NOT_LOADED = "not_loaded"
    """No state was ever loaded."""
    FAILED = "failed"
    """The engine could not evaluate the flag."""


class FlagAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """One flag for one request. `payload` is the variant's payload as text; what it means is the gateway's matter."""

    enabled: bool
    reason: Reason
    variant: str | None = None
    payload: str | None = None


class FlagView(Struct, frozen=True, kw_only=True, gc=False):
    """The three flags of a model for one request, all from the state whose digest it carries.

    `state` is the sha256 of that state in hexadecimal, or None while nothing was ever loaded. `fields` are those of the
    context that the three definitions read, None where they are of a form that is not known here.
    """

    automated: FlagAnswer
    shadow: FlagAnswer
    candidate: FlagAnswer
    state: str | None
    loaded: bool
    fields: tuple[str, ...] | None = ()


ON: Final = FlagAnswer(enabled=True, reason=Reason.ON)
OFF: Final = FlagAnswer(enabled=False, reason=Reason.OFF)
UNKNOWN: Final = FlagAnswer(enabled=False, reason=Reason.UNKNOWN)
FAILED: Final = FlagAnswer(enabled=False, reason=Reason.FAILED)
NOT_LOADED: Final = FlagAnswer(enabled=False, reason=Reason.NOT_LOADED)
NOTHING_LOADED: Final = FlagView(
    automated=NOT_LOADED, shadow=NOT_LOADED, candidate=NOT_LOADED, state=None, loaded=False
)


def all_failed(state: str) -> FlagView:
    """The view of a request that could not be evaluated: everything on its safe side."""
    return FlagView(automated=FAILED, shadow=FAILED, candidate=FAILED, state=state, loaded=True)
