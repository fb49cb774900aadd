"""The measuring process: runs one model with several numbers of threads and rows, and prints how fast it was.

`python -P -s -m gateway.inference.measure FILE LIMITS ASKED`, confined as `gateway.inference.admit` is, with Asked as
JSON. Standard output is Measured or Refusal as JSON. A hostile file may take this process down, and nothing else.

Rounds go over everything in turn, so that a machine that is busy for a while is busy for all alike.
"""

import os
import sys
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec
import numpy as np

from gateway.inference.admit import FAILURES, confine, mute, refusal_of
from gateway.inference.batching import PAYS_BELOW
from gateway.inference.errors import ModelFailed, ModelOutOfMemory, ModelRefusedValues
from gateway.inference.pace import Asked, Measured, OpenedAs, Pace
from gateway.inference.report import AdmissionLimits, Refusal
from gateway.inference.samples import sample_feeds
from gateway.inference.session import INLINE_MAX_US, OnnxSession
from gateway.protocol.datatypes import Tensor

ROUNDS = 5
TRYING = 0.4
"""The part of the time in which more rows are tried at most."""
P99_RUNS_MIN = 100
"""Fewer runs have no hundredth part."""
FREE_SIZES = (1, 8, 32, 224)
LOOP_MAX_MS = INLINE_MAX_US / 1000
UNFIT = (ModelFailed, ModelRefusedValues)
"""How a model says that it does not take such inputs."""


class Course:
    """Runs with so many rows on so many threads, and how long each took."""

    def __init__(self, session: OnnxSession, threads: int, rows: int, feeds: dict[str, Tensor]) -> None:
        self._session = session
        self._threads = threads
        self._rows = rows
        self._feeds = feeds
        self._seconds: list[float] = []
        self._rates: list[float] = []

    def try_once(self) -> float:
        """Seconds of a run, after one that does not count."""
        self._session.run(self._feeds)
        before = perf_counter()
        self._session.run(self._feeds)
        return perf_counter() - before

    def go(self, seconds: float) -> None:
        """Run for a while, at least once."""
        run, feeds = self._session.run, self._feeds
        took: list[float] = []
        began = after = perf_counter()
        while not took or after - began < seconds:
            before = perf_counter()
            run(feeds)
            after = perf_counter()
            took.append(after - before)
        self._rates.append(len(took) * self._rows / (after - began))
        self._seconds += took

    def pace(self) -> Pace:
        """What came of the rounds."""
        millis = np.array(self._seconds) * 1000
        return Pace(
            threads=self._threads,
            rows=self._rows,
            runs=len(millis),
            rows_s=median(self._rates),
            rows_s_low=min(self._rates),
            rows_s_high=max(self._rates),
            p50_ms=float(np.percentile(millis, 50)),
            p99_ms=float(np.percentile(millis, 99)) if len(millis) >= P99_RUNS_MIN else None,
        )


def main(path: str, limits: str, asked: str) -> None:
    """Prints what came of it."""
    allowed = msgspec.json.decode(limits, type=AdmissionLimits)
    report_to = mute()
    confine(allowed)
    told = _told(Path(path), allowed, msgspec.json.decode(asked, type=Asked))
    os.write(report_to, msgspec.json.encode(told))


def _told(path: Path, limits: AdmissionLimits, asked: Asked) -> Measured | Refusal:
    """What was measured, or why nothing could be."""
    try:
        return measure(path.read_bytes(), asked)
    except FAILURES as error:
        return refusal_of(error, limits)


def measure(file: bytes, asked: Asked) -> Measured:
    """How fast the model runs; no paces where it fails on made-up inputs. Raises: FAILURES."""
    sessions = {threads: OnnxSession.open(file, threads=threads) for threads in asked.threads}
    opened = tuple(_opened(session, threads) for threads, session in sessions.items())
    free_size = _free_size(next(iter(sessions.values())), asked)
    if free_size is None:
        return Measured(paces=(), opened=opened, free_size=0, loop_max_ms=LOOP_MAX_MS)
    ends = perf_counter() + asked.seconds
    courses = [
        course for threads, session in sessions.items() for course in _courses(session, threads, free_size, asked)
    ]
    _go_round(courses, ends)
    paces = tuple(course.pace() for course in courses)
    return Measured(paces=paces, opened=opened, free_size=free_size, loop_max_ms=LOOP_MAX_MS)


def _free_size(session: OnnxSession, asked: Asked) -> int | None:
    """The size of free axes that the model accepts, if there is one among those that may be tried."""
    for free_size in FREE_SIZES if asked.free_size is None else (asked.free_size,):
        try:
            session.run(sample_feeds(session.signature, items=1, free_size=free_size))
        except UNFIT:
            continue
        return free_size
    return None


def _opened(session: OnnxSession, threads: int) -> OpenedAs:
    """What a gateway finds, by its own warm-up."""
    session.warm_up()
    cost = session.cost
    return OpenedAs(
        threads=threads,
        first_us=cost.first_us if isfinite(cost.first_us) else None,
        further_us=cost.further_us if isfinite(cost.first_us) else None,
        on_loop=cost.first_us <= INLINE_MAX_US,
        pays=cost.further_us < PAYS_BELOW * cost.first_us,
    )


def _courses(session: OnnxSession, threads: int, free_size: int, asked: Asked) -> Iterator[Course]:
    """A course for each number of rows, until a run takes too long or there is no more time for trying."""
    ends = perf_counter() + TRYING * asked.seconds / len(asked.threads)
    for rows in asked.rows:
        feeds = sample_feeds(session.signature, items=rows, free_size=free_size)
        if rows > 1 and sum(feed.nbytes for feed in feeds.values()) > asked.bytes_max:
            return
        course = Course(session, threads, rows, feeds)
        try:
            took = course.try_once()
        except (*UNFIT, ModelOutOfMemory):
            return
        if rows > 1 and took * 1000 > asked.run_max_ms:
            return
        yield course
        if perf_counter() > ends:
            return


def _go_round(courses: list[Course], ends: float) -> None:
    """Let every course have its turns; all have had one when the time is over."""
    turn = max(0.0, ends - perf_counter()) / (ROUNDS * len(courses))
    for _ in range(ROUNDS):
        for course in courses:
            course.go(turn)
        if perf_counter() > ends:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
