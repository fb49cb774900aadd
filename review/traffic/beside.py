"""What the traffic log tells of a trial's two releases: how long their runs took, and which came to nothing."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from msgspec import Struct

if TYPE_CHECKING:
    from review.traffic.query import View, Window


class RunFigures(Struct, frozen=True, kw_only=True):
    """The runs of one release in one role."""

    release: str
    role: Literal["answering", "shadow"]
    runs: int
    """How many were to be made."""
    errors: int
    """Answering: runs without a valid answer. In the shadow: runs that failed or timed out."""
    dropped: int
    p50_us: float | None
    """Half of the runs that were made took no longer than this."""
    p99_us: float | None


class Answering(Struct, frozen=True, kw_only=True):
    """The answers beside which a run was to be made, and how many of them went out without a person."""

    figures: tuple[RunFigures, ...]
    to_shadow: int


class TrialRuns(Struct, frozen=True, kw_only=True):
    """The runs of a trial's releases, and how many shadow runs left no trace."""

    figures: tuple[RunFigures, ...]
    lost: int
    """Answers that were to be shadowed and have no entry: still queued, or lost with a killed process."""


def trial_runs(answering: Answering, shadow: list[RunFigures]) -> TrialRuns:
    """Both together; what was read later may hold runs of answers that came after, so nothing is lost twice."""
    lost = max(0, answering.to_shadow - sum(each.runs for each in shadow))
    return TrialRuns(figures=(*answering.figures, *shadow), lost=lost)


def answering_runs(view: "View", window: "Window") -> Answering:
    """The answers of the window beside which a run was to be made, by release; the window names the model."""
    rows, arguments = view.rows("decided")
    query = (
        "SELECT release, count(*), count(*) FILTER (rule IN ('not_finite', 'unknown_answer')), "  # noqa: S608 - values are arguments
        "quantile_cont(run_us, 0.5), quantile_cont(run_us, 0.99), count(*) FILTER (path = 'shadow') "
        f"FROM {rows} WHERE tenant = ? AND at_us >= ? AND at_us < ? AND model = ? "
        "AND decided_path = 'shadow' AND decided_rule <> 'precedent' GROUP BY release ORDER BY release"
    )
    found = view.connection.execute(query, [*arguments, *_of(window)]).fetchall()
    figures = tuple(
        RunFigures(release=release, role="answering", runs=runs, errors=errors, dropped=0, p50_us=p50, p99_us=p99)
        for release, runs, errors, p50, p99, _ in found
    )
    return Answering(figures=figures, to_shadow=sum(row[5] for row in found))


def shadow_runs(view: "View", window: "Window", trial_id: UUID) -> list[RunFigures]:
    """The trial's runs in the shadow, by release."""
    rows, arguments = view.rows("shadowed")
    answered = "FILTER (status = 'answered')"
    query = (
        "SELECT shadow_release, count(*), count(*) FILTER (status IN ('failed', 'timed_out')), "  # noqa: S608 - values are arguments
        f"count(*) FILTER (status = 'dropped'), quantile_cont(run_us, 0.5) {answered}, "
        f"quantile_cont(run_us, 0.99) {answered} FROM {rows} "
        "WHERE tenant = ? AND at_us >= ? AND at_us < ? AND model = ? AND trial = ? "
        "GROUP BY shadow_release ORDER BY shadow_release"
    )
    found = view.connection.execute(query, [*arguments, *_of(window), str(trial_id)]).fetchall()
    return [
        RunFigures(release=release, role="shadow", runs=runs, errors=errors, dropped=dropped, p50_us=p50, p99_us=p99)
        for release, runs, errors, dropped, p50, p99 in found
    ]


def _of(window: "Window") -> list[object]:
    return [str(window.tenant), window.since_us, window.until_us, window.model]
