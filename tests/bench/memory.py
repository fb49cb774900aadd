"""What one worker keeps in memory with three models, and whether that grows under minutes of full load."""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from statistics import median

from tests.bench.case import Case, Measured
from tests.bench.load import SECONDS
from tests.bench.press import Pressed
from tests.bench.site import Site, lockgate
from tests.bench.subjects import digits, image, tabular

LONG_S = float(os.environ.get("BENCH_LONG_SECONDS", "600"))
SAMPLES = 120
EARLY, LATE = (0.1, 0.2), (0.9, 1.0)
"""The parts of the time that are compared: of ten minutes the second and the last."""


def _kept() -> Measured:
    """The most that its worker kept during and after some load on each model."""
    with lockgate(tabular(), digits(), image()) as site:
        idle = site.memory_mib()
        samples = [idle]
        for subject in (tabular(), digits(), image()):
            site.endpoint(subject, subject.json()).press_once(16)
            samples.append(site.memory_mib())
        site.endpoint(image(), image().binary()).press_once(8, seconds=SECONDS)
        samples.append(site.memory_mib())
        return Measured(value=max(samples), more={"idle": idle, "samples": samples})


def _growth() -> Measured:
    """How many MiB more it kept late than early, while small and large requests came as fast as it answered."""
    with lockgate(tabular(), digits(), image()) as site, ThreadPoolExecutor() as threads:
        small, large = site.endpoint(tabular(), tabular().json()), site.endpoint(image(), image().json())
        loads = [
            threads.submit(small.press_once, 64, seconds=LONG_S),
            threads.submit(large.press_once, 1, seconds=LONG_S),
        ]
        series = _sampled(site, loads)
        answers = sum(each.result().statuses.get(200, 0) for each in loads)
    early, late = (median(_within(series, part)) for part in (EARLY, LATE))
    return Measured(value=late - early, more={"series": series, "early": early, "late": late, "answers": answers})


def _sampled(site: Site, loads: list[Future[Pressed]]) -> list[tuple[float, float]]:
    """Seconds since the start, and MiB, until the loads have ended."""
    began, series = time.monotonic(), []
    while wait(loads, timeout=LONG_S / SAMPLES).not_done:
        series.append((time.monotonic() - began, site.memory_mib()))
    return series


def _within(series: list[tuple[float, float]], part: tuple[float, float]) -> list[float]:
    first, last = (share * series[-1][0] for share in part)
    return [mib for at, mib in series if first <= at <= last]


CASES = (
    Case(name="memory_mib", what="MiB of one worker with three models, the most during load on each", better="lower",
         goal=250.0, measure=_kept),
    Case(name="memory_growth_mib", what="MiB more after ten minutes of full load than after two", better="lower",
         goal=5.0, measure=_growth, long=True),
)  # fmt: skip
