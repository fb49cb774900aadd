"""The tables of the page, each made of the run alone. Pure."""

from collections.abc import Callable
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
    "speed_image_bare_c1": "the same for the bare prototype, 1 connection",
    "speed_image_bare_c8": "the same for the bare prototype, 8 connections",
    "speed_image_least_c1": "the same for a blocking socket that digests, runs and answers, 1 connection",
}
"""What both sides of a ratio were."""


def _speeds(more: dict[str, Any]) -> str:
    return ", ".join(f"{name} {figure(median(taken))} µs" for name, taken in more["microseconds"].items())


def _lost(more: dict[str, Any]) -> str:
    return f"{more['answers']:,.0f} answers; the candidate ran {more['ran']:,.0f} times, dropped {more['dropped']:,.0f}"


def _tails(more: dict[str, Any]) -> str:
    off, on = (figure(median(side)) for side in zip(*more["p99_us"], strict=True))
    return f"p99 {off} µs without, {on} µs with the shadow, at {figure(more['rate'])} requests a second"


def _sharing(more: dict[str, Any]) -> str:
    times, raw, load, busy = (median(more[name]) for name in ("times", "raw", "load_share", "busy"))
    figures = f"{figure(times)} × with the load taken out, {figure(raw)} × as it is"
    return f"{figures}; the load had {load:.0%} of both processors, {busy:.0%} were busy"


def _beside(more: dict[str, Any]) -> str:
    p99, alone, run = (figure(each) for each in (median(more["p99_us"]), more["alone_p50_us"], more["run_us"]))
    return f"p99 {p99} µs beside images, p50 {alone} µs alone; a run of the image model takes {run} µs"


DETAILS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("speed_beside_images", _beside),
    *((f"numbers_{name}", _speeds) for name in ("parse_image", "encode_1000", "encode_100000")),
    *((f"shadow_p99{name}", _tails) for name in ("", "_image")),
    *((f"shadow_lost{name}", _lost) for name in ("", "_image")),
    ("overload_goodput", lambda more: f"the peak was {figure(more['peak'])} answers a second"),
    ("workers_two", _sharing),
    ("workers_two_tabular", _sharing),
    ("memory_mib", lambda more: f"{figure(more['idle'])} MiB before the first load"),
    ("start_s", lambda more: f"{figure(median(more['one_processor']))} s with one processor for everything"),
)


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


def details(run: Run) -> str:
    """What some cases saw besides their figure."""
    found = [(name, told) for name, told in DETAILS if (each := run.cases.get(name)) and each.value is not None]
    return table(["case", "what it saw besides"], [[f"`{name}`", told(run.cases[name].more)] for name, told in found])


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
        ["stolen", run.disturbed],
        ["the whole run", f"{run.took_s / 60:.0f} minutes"],
    ]
    return table(["", ""], lines)
