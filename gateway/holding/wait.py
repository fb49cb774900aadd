"""How long a caller waits, and what it is told then. Pure.

| asked | settled in time | not settled |
|---|---|---|
| nothing | the answer | after the policy's cap: the fallback |
| a wait of N | the answer | after min(N, cap): the fallback |
| async | – | at once: 202 |
| both | the answer | after min(N, cap): 202 |
"""

from typing import Literal

import msgspec

from gateway.decision import Asked
from gateway.times import after_us


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a caller waits, and what it is told if nothing has settled by then."""

    until_us: int
    then: Literal["fallback", "async"]
    preference_applied: str
    """What `Preference-Applied` says; '' where no preference was sent."""


def wait_for(asked: Asked, cap_s: float, now_us: int) -> Wait:
    """The wait of a caller who arrives now under a policy's cap."""
    if asked.respond_async and asked.wait_s is None:
        seconds = 0.0
    else:
        seconds = cap_s if asked.wait_s is None else min(asked.wait_s, cap_s)
    return Wait(
        until_us=after_us(now_us, seconds),
        then="async" if asked.respond_async else "fallback",
        preference_applied=_applied(asked.applied, seconds),
    )


def _applied(applied: str, seconds: float) -> str:
    """The preferences with the wait that is really kept."""
    parts = [part for part in applied.split(", ") if part]
    kept = [f"wait={int(seconds)}" if part.startswith("wait=") else part for part in parts]
    return ", ".join(kept)
