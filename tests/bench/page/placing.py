"""The made parts of the page and its pictures; everything around them is written by hand. Pure."""

import re

from tests.bench.page import plots, tables
from tests.bench.page.flame import flame
from tests.bench.page.record import Run, Taken

NOT_YET = "Not measured yet: `make performance` does."
PICTURES = {
    "goals": "Each case against its goal, round by round",
    "latency": "How long answers take, at one connection and at 64",
    "goodput": "Good, refused and late answers by offered load",
    "memory": "Memory of a worker over minutes of full load",
    "flame": "Flame graph of the gateway under 64 connections",
}
"""What each picture says to who does not see it."""


def pictures(run: Run | None, long: Run | None) -> dict[str, str]:
    """The pictures by name, as far as there is something to draw."""
    made = {
        "latency": (run, "speed_tail", plots.latency),
        "goodput": (run, "overload_goodput", plots.goodput),
        "memory": (long, "memory_growth_mib", plots.memory),
        "flame": (run, "stage_whole_us", lambda more: flame(more["stacks"])),
    }
    found = {"goals": plots.ratios(run)} if run else {}
    return found | {name: draw(each.more) for name, (of, case, draw) in made.items() if (each := _measured(of, case))}


def blocks(run: Run | None, long: Run | None) -> dict[str, str]:
    """The made parts of the page by name."""
    whole = _measured(run, "stage_whole_us")
    made = {
        "goals": tables.goals(run, long) if run else NOT_YET,
        "both sides": tables.both_sides(run) if run else NOT_YET,
        "details": tables.details(run) if run else NOT_YET,
        "stages": tables.stages(whole.more) if whole else NOT_YET,
        "method": tables.method(run, long) if run else NOT_YET,
    }
    drawn = pictures(run, long)
    shown = {
        f"picture {name}": f"![{words}](performance/{name}.svg)" if name in drawn else NOT_YET
        for name, words in PICTURES.items()
    }
    return made | shown


def placed(page: str, made: dict[str, str]) -> str:
    """The page with the made parts in their places; ValueError when it has no place for one."""
    for name, text in made.items():
        place = re.compile(rf"(<!-- made by the benchmarks: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            message = f"the page has no '<!-- made by the benchmarks: {name} -->' … '<!-- end -->'"
            raise ValueError(message)
        page = place.sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page)  # type: ignore[misc]
    return page


def _measured(run: Run | None, case: str) -> Taken | None:
    """The case, if it was measured."""
    each = run.cases.get(case) if run else None
    return each if each and each.value is not None else None
