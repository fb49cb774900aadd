"""From the command to the first answer: `lockgate serve` on data that it has served before."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.case import Case, Measured
from tests.bench.load import LOADER, SERVER, kept_to
from tests.bench.site import Site, founded
from tests.bench.subjects import Subject, tabular
from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.process import until

STARTS = 5


def _first_answer() -> Measured:
    """Seconds until the first answer, with one processor and with two."""
    with TemporaryDirectory(prefix="lockgate-bench-") as name, kept_to(SERVER, LOADER):
        with running_lockgate(Path(name), log_level="warning") as server:  # which also leaves the byte code compiled
            site = founded(server, (tabular(),))
        both = [_start(site, tabular()) for _ in range(STARTS)]
        with kept_to(SERVER):
            one = [_start(site, tabular()) for _ in range(STARTS)]
    return Measured.middle(both, one_processor=one)


def _start(site: Site, subject: Subject) -> float:
    server: Lockgate = site.server
    began = time.perf_counter()
    server.process.start()
    try:
        until(lambda: site.answers(subject), "the first answer", seconds=60)
        return time.perf_counter() - began
    finally:
        server.stop()


CASES = (
    Case(
        name="start_s",
        what="seconds from `lockgate serve` to the first answer, with byte code compiled",
        better="lower",
        goal=2.0,
        measure=_first_answer,
    ),
)
