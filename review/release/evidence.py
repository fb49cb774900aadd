"""What speaks for or against a candidate: its evaluation beside the champion's, and what its trial has shown. Pure."""

import msgspec


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval and the number of items that it rests on."""

    value: float
    low: float
    high: float
    n: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate beside the champion on the same held-out items."""

    what: str
    """`overall`, or a slice such as `race=black`."""
    champion: Interval
    """The share of right answers, from 0 to 1."""
    candidate: Interval
    difference: Interval
    """Candidate minus champion, paired item by item."""
    fixes: int
    """Items that the champion got wrong and the candidate right."""
    breaks: int
    """Items that the champion got right and the candidate wrong."""


class EvaluationEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate's latest evaluation against the present champion."""

    dataset: str
    """The SHA-256 of the dataset."""
    held_out: int
    """How many held-out items were evaluated."""
    overlap: int | None
    """How many of their inputs the candidate was trained on; clean evidence has none. None where no training data is
    attached to it, so that nobody can tell."""
    comparisons: tuple[Comparison, ...]
    """`overall` first."""
    elsewhere: tuple[str, ...] = ()
    """What has to be said of each release that ran on another server."""


class TrialEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial has shown so far."""

    compared: int
    """Items that both releases answered."""
    disagreements: int
    """Those on which they differ."""
    missing: int
    """Shadow runs that were dropped, failed or timed out."""
    wins: int
    """Disagreements that people decided for the candidate."""
    losses: int
    both_right: int
    both_wrong: int
    cannot_tell: int
    open: int
    """Disagreements that people have not decided yet."""
    win_share: Interval | None
    """Wins among wins and losses; none while there are none."""
