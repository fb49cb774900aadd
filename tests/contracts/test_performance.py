"""docs/performance.md says what was measured, and nothing else."""

import re

from tests.bench.page.__main__ import CASES, PAGE
from tests.bench.page.placing import blocks, pictures, placed
from tests.bench.page.record import FOLDER, LONG, RUN, read
from tests.bench.running import find_cases

KEPT, KEPT_LONG = read(RUN), read(LONG)


def test_the_page_is_made_of_the_kept_runs() -> None:
    """Every figure between the page's marks comes from docs/performance/: `make performance ARGS=--write` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    assert placed(page, blocks(KEPT, KEPT_LONG)) == page


def test_the_pictures_are_made_of_the_kept_runs() -> None:
    """Each picture is what the kept runs draw, and there is no other."""
    drawn = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    assert drawn == pictures(KEPT, KEPT_LONG)


def test_the_cases_of_the_page_exist() -> None:
    """Whatever the page or a kept run calls a case is one, and the page's own cases are all of the benchmarks."""
    known = {case.name for case in find_cases()}
    families = "|".join(sorted({case.name.partition("_")[0] for case in CASES}))
    named = set(re.findall(rf"`((?:{families})_\w+)`", PAGE.read_text(encoding="utf-8")))
    kept = {name for run in (KEPT, KEPT_LONG) if run for name in run.cases}
    assert (named | kept) - known == set()
    assert {case.name for case in CASES} <= known
