"""The report of an evaluation: all of its figures, in one canonical document. Pure.

No name of who asked stands in it, and no time but that of a run on another server: the same release, dataset, seed
and answers from elsewhere make the same bytes.
"""

from collections.abc import Sequence
from random import Random
from typing import Literal
from uuid import UUID

import msgspec

from review.learning.heard import RanElsewhere, told_of
from review.learning.scores import Scores
from review.release.evidence import Comparison

FORMAT = "lockgate.evaluation/1"
MEDIA_TYPE = "application/vnd.lockgate.evaluation+json"
LISTED = 200
"""How many fixes and how many breaks are listed."""


class ReleaseRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A release that was run, and exactly what it is."""

    release: str
    artifact: str
    """The SHA-256 of its model file, or of the description of its upstream."""
    policy: str
    label_schema: str
    guideline: str
    scores: Scores
    no_answer: int
    """Items to which it gave no answer of the label schema."""
    elsewhere: RanElsewhere | None = None
    """Where and when it ran, if it did not run here."""


class ItemChange(msgspec.Struct, frozen=True, kw_only=True):
    """An item on which the two releases are not equally right."""

    prediction: str
    item: int
    change: Literal["fixed", "broken"]
    truth: str
    champion: str
    candidate: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation."""

    format: str
    model: str
    dataset: str
    seed: int
    held_out: int
    representative: int
    """Held-out items that stand for the traffic: holds and audits with a known probability."""
    overlap: int
    """Held-out inputs among those that the release learned from."""
    overlap_known: bool
    """False where no training data is attached to the release."""
    candidate: ReleaseRun
    champion: ReleaseRun | None
    """The baseline; none when the champion itself is evaluated."""
    comparisons: tuple[Comparison, ...]
    changes: tuple[ItemChange, ...]
    narrative: tuple[str, ...]


def report_bytes(report: Report) -> bytes:
    """The canonical bytes."""
    return msgspec.json.encode(report, order="deterministic")


def read_report(data: bytes) -> Report:
    """The report in its bytes. Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Report)


def listed(changes: Sequence[ItemChange], seed: int) -> tuple[ItemChange, ...]:
    """The changes to list, fixes first: all of them, or an equal chance for each where there are too many."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    kept: list[ItemChange] = []
    for kind in ("fixed", "broken"):
        of_kind = [change for change in changes if change.change == kind]
        places = sorted(random.sample(range(len(of_kind)), min(LISTED, len(of_kind))))
        kept += [of_kind[place] for place in places]
    return tuple(kept)


def told_elsewhere(*runs: ReleaseRun | None) -> tuple[str, ...]:
    """What has to be said of each release that ran on another server."""
    return tuple(told_of(run.release, run.elsewhere) for run in runs if run is not None and run.elsewhere is not None)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of an evaluation beside its report."""

    held_out: int
    overlap: int | None
    """None where no training data is attached to the release."""
    scores: Scores
    comparisons: tuple[Comparison, ...]
    html: str
    """The SHA-256 of the page."""
    inputs: str = ""
    """The SHA-256 of what it rests on, with which the report can be made again; empty where that was not kept."""
    elsewhere: tuple[str, ...] = ()
    """What has to be said of each release that ran on another server."""
    beside: str = ""
    """What it compares with, as that was called where an imported evaluation was made."""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation that is there now."""

    id: UUID
    new: bool
    """False when it had been made before."""
    report: str
    """The SHA-256 of the JSON report."""
    html: str
    """The SHA-256 of the page."""
    release: str
    baseline: str | None
    dataset: str
    seed: int
    scores: Scores
    baseline_scores: Scores | None
    comparisons: tuple[Comparison, ...]
    narrative: tuple[str, ...]
