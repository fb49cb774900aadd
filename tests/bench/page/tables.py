"""The tables of the page, each made of the run alone. Pure."""

from statistics import median
from typing import Any

from tests.bench.page.record import Run, Taken
from tests.bench.page.words import figure, goal, spread, table
from tests.bench.stages import ADDED, ROWS

BESIDE = {
    "speed_tabular_c64": "answers a second; the bare prototype's",
    "speed_tabular_c1_p50": "p50 in µs; the bare prototype's",
    "speed_plain_c64": "answers a second; FastAPI's",
    "speed_plain_c1_p50": "p50 in µs; FastAPI's",
    "speed_image_json": "answers a second; the bare prototype's",
    "speed_image_binary_c1": "answers a second; runs of onnxruntime",
    "speed_image_binary_c8": "answers a second; runs of onnxruntime",
}
"""What both sides of a ratio were."""


def goals(run: Run, long: Run | None) -> str:
    """Every case that has a goal."""
    cases = run.cases | (long.cases if long else {})
    rows = [
        [f"`{name}`", each.what, figure(each.value), spread(each.rounds), goal(each), _verdict(each)]
        for name, each in cases.items()
        if each.goal is not None
    ]
    return table(["case", "what", "measured", "rounds", "goal", ""], rows)


def _verdict(each: Taken) -> str:
    return each.verdict if each.verdict == "met" else f"**{each.verdict}**"


def both_sides(run: Run) -> str:
    """What the ratios are made of: the median of each side, for this machine alone."""
    rows = [
        [f"`{name}`", what, figure(median(each.more["ours"])), figure(median(each.more["theirs"]))]
        for name, what in BESIDE.items()
        if (each := run.cases.get(name)) and each.value is not None
    ]
    return table(["case", "what", "Lockgate", "beside it"], rows)


def stages(more: dict[str, Any]) -> str:
    """Where the microseconds of a request go."""
    found = more["rows"]
    whole = sum(found.values())
    lines = [[_what(name), figure(found[name]), f"{100 * found[name] / whole:.0f} %"] for name in ROWS]
    lines.append(["**all of it**, the time of a processor", figure(whole), "100 %"])
    lines.append(["as the caller waits for it (p50), with the kernel and the load", figure(more["p50_us"]), ""])
    return table(["stage", "µs", "part"], lines)


def _what(name: str) -> str:
    return ROWS[name] + (" (*)" if name in ADDED else "")


def method(run: Run, long: Run | None) -> str:
    """Where, when and with what the run was made."""
    lines = [
        ["day", run.at + (f"; the long cases {long.at}" if long else "")],
        *([name, value] for name, value in run.machine.items()),
        ["versions", ", ".join(f"{name} {value}" for name, value in run.versions.items())],
        ["loads", f"{run.seconds:g} s after {min(1.0, run.seconds):g} s of warming up, {run.rounds} rounds in turn"],
        ["the whole run", f"{run.took_s / 60:.0f} minutes"],
    ]
    return table(["", ""], lines)
