"""What a play without you comes to: the figures of its first half, and what came of them, in one line."""

from typing import Literal

import msgspec

from demo.play.notebook import Figures

Says = Literal["promote", "wait", "refuse"]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A share from 0 to 1 with its 95 % interval and the items it rests on."""

    value: float
    low: float
    high: float
    n: int


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The trained release beside the champion, on the same held-out items of the dataset."""

    release: str
    champion: str
    right: Interval
    champion_right: Interval
    fixes: int
    breaks: int


class Promoted(msgspec.Struct, frozen=True, kw_only=True):
    """The release that was promoted, and what the gate had said."""

    release: str
    gate: Says
    reasons: tuple[str, ...]
    forced: bool


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """The bad release, what serves again, and how many callers had got an answer of the bad one."""

    release: str
    to: str
    answers: int


class Better(msgspec.Struct, frozen=True, kw_only=True):
    """What the second half came to."""

    dataset_sha256: str
    evaluation: Evaluation
    promoted: Promoted
    rolled_back: RolledBack
    rollback_ms: float
    """From the operator's request until it was confirmed and the last answer of the bad release had arrived."""
    bundle_verified: bool
    failed_requests: int


class Played(Figures, frozen=True, kw_only=True):
    """The last line of a play without you: the first half's figures, and what came of them."""

    dataset_sha256: str
    evaluation: Evaluation
    promoted: Promoted
    rolled_back: RolledBack
    rollback_ms: float
    bundle_verified: bool


def played(first: Figures, then: Better, seconds: float) -> Played:
    """Both halves together; a request that failed in either of them counts. Pure."""
    both = msgspec.structs.asdict(first) | msgspec.structs.asdict(then)
    failed = first.failed_requests + then.failed_requests
    return Played(**both | {"failed_requests": failed, "seconds": round(seconds, 1)})
