"""Two workers on two processors over one, where the load has to have its part of the same two.

With one worker, the load has the other processor to itself; with two there is none left for it. What the load takes is
therefore taken out: answers are counted by second of a processor that the workers had, which two of them have twice,
and by how much of both processors was busy at all, so that waiting for each other is not forgiven.

The goal is one for pictures, of which the load takes a twentieth of both processors. Of small requests it takes a
third, and keeps the workers from whole turns by coming between: that figure says more of the load than of them, and
is a baseline.
"""

from dataclasses import dataclass

from tests.bench.case import Case, Measured
from tests.bench.load import LOADER, ROUNDS, SECONDS, SERVER
from tests.bench.quiet import undisturbed
from tests.bench.site import Site, lockgate
from tests.bench.subjects import Content, Subject, image, tabular

PROCESSORS = (SERVER, LOADER)


@dataclass(frozen=True, kw_only=True)
class Share:
    """One round: answers, and seconds of processors."""

    answers: float
    workers_s: float
    load_s: float

    @property
    def by_processor(self) -> float:
        """Answers by second of a processor that the workers had."""
        return self.answers / self.workers_s


@dataclass(frozen=True)
class Asked:
    """What both are asked, over how many connections."""

    subject: Subject
    content: Content
    connections: int


def _scaling(asked: Asked) -> Measured:
    with (
        lockgate(asked.subject) as one,
        one.resting(),
        lockgate(asked.subject, processors=PROCESSORS, gateways=2) as two,
    ):
        for processor, gateway in zip(PROCESSORS, two.gateways, strict=True):
            gateway.cpu_affinity([processor])
        both = [(_one(one, two, asked), undisturbed(lambda: _share(two, None, asked))) for _ in range(ROUNDS)]
    figures = [_times(alone, pair) for alone, pair in both]
    return Measured.middle(
        figures,
        times=figures,
        raw=[pair.answers / alone.answers for alone, pair in both],
        load_share=[pair.load_s / (2 * SECONDS) for _, pair in both],
        busy=[_busy(pair, 2) for _, pair in both],
    )


def _times(alone: Share, pair: Share) -> float:
    """How many times what one worker answers two would, had they two processors and the load a third."""
    one = alone.by_processor * min(1.0, alone.workers_s / SECONDS)
    return 2 * pair.by_processor * _busy(pair, 2) / one


def _busy(share: Share, processors: int) -> float:
    return min(1.0, (share.workers_s + share.load_s) / (processors * SECONDS))


def _one(one: Site, two: Site, asked: Asked) -> Share:
    """The one worker's round, while the two rest."""
    one.server.process.resume()
    try:
        with two.resting():
            return undisturbed(lambda: _share(one, LOADER, asked))
    finally:
        one.server.process.pause()


def _share(site: Site, loader: int | None, asked: Asked) -> Share:
    """One round of a site whose load keeps to a processor, or to none."""
    endpoint = site.endpoint(asked.subject, asked.content)
    endpoint.press_once(asked.connections, seconds=SECONDS / 4, processor=loader)
    before = _processor_s(site)
    pressed = endpoint.press_once(asked.connections, processor=loader, warm_s=0.0)
    return Share(answers=pressed.rate * SECONDS, workers_s=_processor_s(site) - before, load_s=pressed.processor_s)


def _processor_s(site: Site) -> float:
    """Seconds of processors that the workers have had."""
    times = [gateway.cpu_times() for gateway in site.gateways]
    return float(sum(each.user + each.system for each in times))


CASES = (
    Case(
        name="workers_two",
        what="image binary, 16 connections: two workers on two processors over one, the load's part taken out",
        better="higher",
        goal=1.8,
        measure=lambda: _scaling(Asked(image(), image().binary(), 16)),
    ),
    Case(
        name="workers_two_tabular",
        what="tabular JSON, 64 connections: the same",
        better="higher",
        goal=None,
        measure=lambda: _scaling(Asked(tabular(), tabular().json(), 64)),
    ),
)
