"""What the shadow costs the answers: every request also runs the candidate, which is the champion's own file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from statistics import median
from typing import NamedTuple

from tests.bench.case import Case, Measured
from tests.bench.load import FEW, ROUNDS, SECONDS, Endpoint
from tests.bench.site import Site, lockgate
from tests.bench.subjects import Content, Subject, image, tabular
from tests.servers.process import until

RUNS = r"lockgate_shadow_runs_total\{.*"
ANSWERED, DROPPED = (rf'{RUNS}status="{status}"' for status in ("answered", "dropped"))


class Pressing(NamedTuple):
    """How a model is pressed at half load: the fewer answers a second, the longer, so that there is a p99."""

    connections: int
    seconds: float
    rounds: int


@cache
def _tabular() -> dict[str, Measured]:
    with lockgate(tabular()) as site:
        return _of(site, tabular(), tabular().json(), Pressing(64, 2 * SECONDS, 2 * ROUNDS))


@cache
def _image() -> dict[str, Measured]:
    with lockgate(image()) as site:
        return _of(site, image(), image().binary(), Pressing(8, 2 * SECONDS, ROUNDS))


def _of(site: Site, subject: Subject, content: Content, pressing: Pressing) -> dict[str, Measured]:
    endpoint = site.endpoint(subject, content)
    rate = median(endpoint.press(pressing.connections).rate for _ in range(FEW)) / 2
    with _trial(site, subject):
        half = [_half(site, endpoint, subject, pressing, rate) for _ in range(pressing.rounds)]
        lost = _lost(site, endpoint, subject, pressing)
    ratio = Measured.middle((on / off for off, on in half), p99_us=half, rate=rate)
    return {"half": ratio, "lost": lost}


@contextmanager
def _trial(site: Site, subject: Subject) -> Iterator[None]:
    """A candidate on trial that runs beside the champion where its flag is on."""
    site.add(subject)
    site.server.run("trial", "open", f"{subject.name}@2", "--why", "bench")
    with _shadow(site, subject):
        until(lambda: site.answers(subject) and site.counted(ANSWERED) > 0, "the first shadow run")
    yield
    site.server.run("trial", "close", subject.name, "--why", "bench")


@contextmanager
def _shadow(site: Site, subject: Subject) -> Iterator[None]:
    site.flag(f"{subject.name}.shadow", "on")
    yield
    site.flag(f"{subject.name}.shadow", "off")


def _half(site: Site, endpoint: Endpoint, subject: Subject, how: Pressing, rate: float) -> tuple[float, float]:
    """The p99 of answers at half of what can be answered, without and with the shadow, in microseconds."""
    off = endpoint.press(how.connections, seconds=how.seconds, rate=rate).p99_us
    with _shadow(site, subject):
        return off, endpoint.press(how.connections, seconds=how.seconds, rate=rate).p99_us


def _lost(site: Site, endpoint: Endpoint, subject: Subject, how: Pressing) -> Measured:
    """How many answers at full load with the shadow were none; what became of the runs is told beside it."""
    before = {name: site.counted(name) for name in (ANSWERED, DROPPED)}
    with _shadow(site, subject):
        pressed = endpoint.press_once(how.connections, seconds=how.seconds)
    ran, dropped = (site.counted(name) - before[name] for name in (ANSWERED, DROPPED))
    lost = sum(count for status, count in pressed.statuses.items() if status != 200)
    return Measured(value=lost, more={"answers": pressed.statuses.get(200, 0), "ran": ran, "dropped": dropped})


def _case(name: str, what: str, goal: float, measure: Callable[[], Measured]) -> Case:
    return Case(name=f"shadow_{name}", what=what, better="lower", goal=goal, measure=measure)


CASES = (
    _case("p99", "tabular JSON at half load, shadow for all requests: p99 over that without", 1.3,
          lambda: _tabular()["half"]),
    _case("lost", "tabular JSON at full load, shadow for all requests: answers lost", 0, lambda: _tabular()["lost"]),
    _case("p99_image", "image binary at half load, shadow for all requests: p99 over that without", 1.3,
          lambda: _image()["half"]),
    _case("lost_image", "image binary at full load, shadow for all requests: answers lost", 0,
          lambda: _image()["lost"]),
)  # fmt: skip
