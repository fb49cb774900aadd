"""What the traffic log tells of the requests that a release was asked for: answered or not, and within what time."""

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.times import SECOND_US
from review.release.evidence import Interval
from review.release.intervals import quantile_ranks

if TYPE_CHECKING:
    from review.traffic.query import View, Window

TOOK_US = "decode_us + flags_us + decide_us + queue_us + run_us + settle_us"
"""From the request to the entry, which is written just before the answer leaves."""


class Counted(Struct, frozen=True, kw_only=True):
    """The requests that a release was to answer by itself; what people were asked for at once is not among them."""

    decided: int
    overflowed: int
    """Of those, too many were held already; what they were told is for the release's policy."""
    answers: int
    """Requests that were answered without a person."""


class Answered(Struct, frozen=True, kw_only=True):
    """What became of the requests that a release was to answer by itself."""

    counted: Counted
    failed: int
    """Requests more, of which the run failed."""
    took: Interval | None
    """The quantile of the seconds that the answers took; none while they are too few for its interval."""


def count_answers(view: "View", window: "Window", release: str) -> Counted:
    """The requests of the window that this release was to answer by itself."""
    where, values = _of(window, release)
    rows, arguments = view.rows("decided")
    query = (
        "SELECT count(*) FILTER (decided_path <> 'review'), "  # noqa: S608 - values are arguments
        "count(*) FILTER (decided_path <> 'review' AND rule = 'queue_full'), "
        f"count(*) FILTER (path <> 'review') FROM {rows} WHERE {where}"
    )
    decided, overflowed, answers = view.connection.execute(query, [*arguments, *values]).fetchall()[0]
    return Counted(decided=decided, overflowed=overflowed, answers=answers)


def count_failed(view: "View", window: "Window", release: str) -> int:
    """The requests of the window in which the release's run failed."""
    where, values = _of(window, release)
    rows, arguments = view.rows("refused")
    query = f"SELECT count(*) FROM {rows} WHERE {where}"  # noqa: S608 - values are arguments
    failed: int = view.connection.execute(query, [*arguments, *values]).fetchall()[0][0]
    return failed


def time_answers(view: "View", window: "Window", release: str, quantile: float, answers: int) -> Interval | None:
    """The quantile of the seconds that so many answers took, by how many took at most each microsecond."""
    ranks = quantile_ranks(answers, quantile)
    if ranks is None:
        return None
    where, values = _of(window, release)
    rows, arguments = view.rows("decided")
    query = (
        f"WITH counted AS (SELECT {TOOK_US} AS took, count(*) AS n FROM {rows} "  # noqa: S608 - values are arguments
        f"WHERE {where} AND path <> 'review' GROUP BY took), "
        "ranked AS (SELECT took, sum(n) OVER (ORDER BY took) AS upto FROM counted) "
        "SELECT min(took) FILTER (upto >= ?), min(took) FILTER (upto >= ?), min(took) FILTER (upto >= ?) FROM ranked"
    )
    found = view.connection.execute(query, [*arguments, *values, *ranks]).fetchall()[0]
    if None in found:
        return None  # retention took some since they were counted
    low, value, high = (took / SECOND_US for took in found)
    return Interval(value=value, low=low, high=high, n=answers)


def _of(window: "Window", release: str) -> tuple[str, list[object]]:
    where = "tenant = ? AND at_us >= ? AND at_us < ? AND model = ? AND release = ?"
    return where, [str(window.tenant), window.since_us, window.until_us, window.model, release]
