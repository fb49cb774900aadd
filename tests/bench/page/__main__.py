"""Runs the serving benchmarks and writes docs/performance.md: `python -m tests.bench.page [--long | --write]`.

Without a word, all but the long cases run, about ten minutes, and nothing else should run beside them. `--long` runs
those that take ten minutes each; `--write` measures nothing and makes the page of what was measured.
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench import memory, numbers, overload, shadowed, speed, stages, starting, workers
from tests.bench.case import Case
from tests.bench.load import ROUNDS, SECONDS
from tests.bench.page.machine import machine, versions
from tests.bench.page.placing import blocks, pictures, placed
from tests.bench.page.record import FOLDER, LONG, RUN, Run, read, taken, write
from tests.bench.quiet import SEEN
from tests.bench.running import report, run
from tests.servers.environments import environment
from tests.servers.process import MissingPart

PAGE = FOLDER.with_suffix(".md")
CASES: tuple[Case, ...] = (
    *speed.CASES, *numbers.CASES, *shadowed.CASES, *overload.CASES, *workers.CASES, *memory.CASES, *starting.CASES,
    *stages.CASES,
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, keep it, and write the page; 1 when a case broke."""
    broken = 0
    if "--write" not in arguments:
        long = "--long" in arguments
        done = measured([case for case in CASES if case.long == long])
        write(done, LONG if long else RUN)
        broken = sum(each.value is None for each in done.cases.values())
    write_page()
    return int(bool(broken))


def measured(cases: Sequence[Case]) -> Run:
    """A run of these cases."""
    with contextlib.suppress(MissingPart):  # made before anything is measured; the case that lacks it says so
        environment("server-fastapi")
    where, began = machine(), time.monotonic()
    results = [run(case) for case in cases]
    took_s = time.monotonic() - began
    report(f"bench: all of it took {took_s / 60:.1f} minutes")
    return Run(
        at=f"{datetime.now(UTC):%Y-%m-%d}",
        took_s=round(took_s),
        seconds=SECONDS,
        rounds=ROUNDS,
        disturbed=SEEN.told(),
        machine=where,
        versions=versions(),
        cases={result.case.name: taken(result) for result in results},
    )


def write_page() -> None:
    """Write the page and its pictures anew, of what is kept."""
    kept, long = read(RUN), read(LONG)
    for name, picture in pictures(kept, long).items():
        (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), blocks(kept, long)), encoding="utf-8")
    report(f"bench: wrote {PAGE.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
