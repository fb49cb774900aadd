"""How fast a model runs, by threads and rows: what is asked of a measuring process, and what it tells. Pure."""

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be measured."""

    threads: tuple[int, ...]
    rows: tuple[int, ...]
    """Ascending; those after one that takes too long, or whose tensors are too large, are left out."""
    seconds: float
    """What the measuring may take, the opening of the sessions not counted."""
    run_max_ms: float
    """No more rows are tried where a run has taken longer."""
    bytes_max: int
    """Bytes of input tensors of one run; one row is always measured."""
    free_size: int | None = None
    """The size of every free axis but the first; None: the first of some that the model accepts."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Runs with so many rows on so many threads."""

    threads: int
    rows: int
    runs: int
    rows_s: float
    """Rows a second: the median of some rounds, between the slowest and the fastest of them."""
    rows_s_low: float
    rows_s_high: float
    p50_ms: float
    """Half of the runs took at most this."""
    p99_ms: float | None
    """None where there were too few runs to tell."""


class OpenedAs(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway finds when it opens the model with so many threads; None where its warm-up fails."""

    threads: int
    first_us: float | None
    """Microseconds of a run with one row."""
    further_us: float | None
    """What each further row adds."""
    on_loop: bool
    """Whether a run with one row stays on the event loop."""
    pays: bool
    """Whether a further row is enough cheaper than the first."""


class Measured(msgspec.Struct, frozen=True, kw_only=True, tag="measured"):
    """What came of it."""

    paces: tuple[Pace, ...]
    opened: tuple[OpenedAs, ...]
    free_size: int
    """The size that free axes had."""
    loop_max_ms: float
    """A run that takes at most this stays on the gateway's event loop."""

    def opened_with(self, threads: int) -> OpenedAs:
        """What a gateway finds with so many threads."""
        return next(each for each in self.opened if each.threads == threads)

    def pace(self, threads: int, rows: int) -> Pace | None:
        """The runs with so many rows on so many threads, if there were any."""
        return next((each for each in self.paces if (each.threads, each.rows) == (threads, rows)), None)
