"""Which states lie before and after an entry of Unleash's event log. Pure.

The revision of a fetched state is the number of the latest event that it contains. So an event lies between the states
of the first transition to a revision that is not below its number:

| | before and after |
|---|---|
| older than the first fetch | it is none of our history: no path of ours rested on it |
| a transition contains it | the states of that transition |
| the state in force contains it, and no transition did | that state, on both sides: it changed no answer |
| no state contains it yet | none yet: a gateway will fetch it, so it waits |
| none does for `SETTLED_US` | the state in force: nobody follows, or the server was set back |

A server that was restored counts the same numbers again, so only transitions count that are not older than the event.
"""

from collections.abc import Sequence

import msgspec

from flags.store import StoredState
from gateway.store.fetched_flags import Transition
from review.unleash.log import Change

SETTLED_US = 120_000_000
SKEW_US = 60_000_000
"""How far Unleash's clock may be from ours."""


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """The digests of the states before and after a change."""

    before: str
    after: str


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the states that were fetched."""

    first: Transition
    transitions: Sequence[Transition]
    """The latest ones, the oldest first."""
    current: StoredState


def is_history(change: Change, followed: Followed) -> bool:
    """Whether a change was made after the first state was fetched."""
    return change.event > followed.first.revision or change.at_us > followed.first.at_us + SKEW_US


def sides_of(change: Change, followed: Followed, now_us: int) -> Sides | None:
    """The states before and after a change; None while that is not known yet."""
    for one in followed.transitions:
        if one.revision >= change.event and one.at_us + SKEW_US >= change.at_us:
            return Sides(before=one.before, after=one.after)
    settled = followed.current.version >= change.event or now_us - change.at_us > SETTLED_US
    return Sides(before=followed.current.digest, after=followed.current.digest) if settled else None
