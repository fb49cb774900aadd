"""The prediction endpoint beside the bare prototype and the raw loop of onnxruntime: ratios of paired rounds.

Every server keeps to the first processor, its load to the second. Lockgate has everything on: key check, three flags,
decide, settle, and the entry of the traffic log appended before the answer. docs/performance.md tells what came of it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from operator import truediv
from statistics import median

from tests.bench.case import Case, Measured
from tests.bench.load import FEW, SECONDS, Endpoint, ratios, request, times
from tests.bench.press import QUANTILES, Pressed
from tests.bench.quiet import undisturbed
from tests.bench.site import Site, beside, least, lockgate, plain, prototype, raw_rate
from tests.bench.subjects import image, tabular

MANY, ONE, OVER = 64, 1, 192
"""Connections."""


def _rate(pressed: Pressed) -> float:
    return pressed.rate


def _p50(pressed: Pressed) -> float:
    return pressed.p50_us


def _tail(pressed: Pressed) -> float:
    return pressed.p99_us / pressed.p50_us


@cache
def _tabular() -> dict[str, Measured]:
    with beside(tabular(), prototype(tabular(), join=True)) as pair:
        many, one = pair.rounds(MANY), pair.rounds(ONE)
        return {
            "c64": ratios(many, _rate),
            "c1_p50": ratios(one, _p50),
            "tail": Measured.middle((_tail(ours) for ours, _ in many), **_distribution(many, one)),
            "overload": Measured.middle(pair.ours.press(OVER).rate / pair.ours.press(MANY).rate for _ in range(FEW)),
        }


def _distribution(many: list[tuple[Pressed, Pressed]], one: list[tuple[Pressed, Pressed]]) -> dict[str, object]:
    """How long answers took, of both, by the load."""
    told: dict[str, object] = {"percent": QUANTILES}
    for load, rounds in (("c1", one), ("c64", many)):
        told[load] = {"ours": times([ours for ours, _ in rounds]), "theirs": times([theirs for _, theirs in rounds])}
    return told


@cache
def _beside_plain() -> dict[str, Measured]:
    with beside(tabular(), plain(tabular())) as pair:
        return {"c64": ratios(pair.rounds(MANY, FEW), _rate), "c1_p50": ratios(pair.rounds(ONE, FEW), _p50)}


def _image_json() -> Measured:
    with beside(image(), prototype(image(), join=False)) as pair:
        return ratios(pair.rounds(ONE), _rate)


@cache
def _image_binary() -> dict[str, Measured]:
    whole = request("/v2/models/image/infer", *image().binary())
    bare, fewest = prototype(image(), join=False), least(image(), whole)
    with lockgate(tabular(), image()) as site, bare as bare_port, fewest as least_port:
        others = {"bare": Endpoint(bare_port, whole), "least": Endpoint(least_port, whole)}
        found = _image_rounds(site, others, 1, "c1") | _image_rounds(site, {"bare": others["bare"]}, 8, "c8")
        return found | {"beside": _beside_images(site)}


def _image_rounds(site: Site, others: dict[str, Endpoint], connections: int, name: str) -> dict[str, Measured]:
    """Images a second over those of the raw loop: ours, and those of others."""
    ours, raws = [], []
    theirs: dict[str, list[float]] = {other: [] for other in others}
    for _ in range(FEW):
        ours.append(site.endpoint(image(), image().binary()).press(connections).rate)
        raws.append(_raw_rate(site))
        with site.resting():
            for other, endpoint in others.items():
                theirs[other].append(endpoint.press(connections).rate)
    rates = {name: ours} | {f"{name}_{other}": taken for other, taken in theirs.items()}
    return {each: Measured.middle(map(truediv, taken, raws), ours=taken, theirs=raws) for each, taken in rates.items()}


def _raw_rate(site: Site) -> float:
    with site.resting():
        return undisturbed(lambda: raw_rate(image()))


def _beside_images(site: Site) -> Measured:
    """What small requests wait for beside images: how much their p99 lies above the p50 they have alone, in runs."""
    small, large = site.endpoint(tabular(), tabular().json()), site.endpoint(image(), image().binary())
    run_us = 1e6 / median(_raw_rate(site) for _ in range(FEW))
    alone = [small.press(1) for _ in range(FEW)]
    with ThreadPoolExecutor() as threads:
        rounds = [undisturbed(lambda: _together(threads, small, large)) for _ in range(FEW)]
    p50_us = median(map(_p50, alone))
    return Measured.middle(
        ((each.p99_us - p50_us) / run_us for each in rounds),
        p99_us=[each.p99_us for each in rounds], alone_p50_us=p50_us, run_us=run_us,
    )  # fmt: skip


def _together(threads: ThreadPoolExecutor, small: Endpoint, large: Endpoint) -> Pressed:
    """What small requests wait while large ones come."""
    pressing = threads.submit(large.press_once, 4, seconds=SECONDS + 1)
    pressed = small.press_once(1)
    pressing.result()
    return pressed


def _case(name: str, what: str, goal: float | None, measure: Callable[[], Measured], better: str = "higher") -> Case:
    return Case(name=f"speed_{name}", what=what, better=better, goal=goal, measure=measure)  # type: ignore[arg-type]


CASES = (
    _case("tabular_c64", "tabular JSON, 64 connections: rate over the prototype's", 0.70, lambda: _tabular()["c64"]),
    _case("tabular_c1_p50", "tabular JSON, 1 connection: p50 over the prototype's", 1.6,
          lambda: _tabular()["c1_p50"], "lower"),
    _case("tail", "tabular JSON, 64 connections: p99 over p50", 3.0, lambda: _tabular()["tail"], "lower"),
    _case("overload", "tabular JSON: rate at 192 connections over that at 64", 0.9, lambda: _tabular()["overload"]),
    _case("plain_c64", "tabular JSON, 64 connections: rate over FastAPI with onnxruntime", 5.0,
          lambda: _beside_plain()["c64"]),
    _case("plain_c1_p50", "tabular JSON, 1 connection: p50 over FastAPI with onnxruntime", None,
          lambda: _beside_plain()["c1_p50"], "lower"),
    _case("image_json", "image JSON, 1 connection: rate over the prototype's", 0.85, _image_json),
    _case("image_binary_c1", "image binary, 1 connection: rate over the raw loop's", 0.90,
          lambda: _image_binary()["c1"]),
    _case("image_binary_c8", "image binary, 8 connections: rate over the raw loop's", 0.90,
          lambda: _image_binary()["c8"]),
    _case("image_bare_c1", "image binary, 1 connection: the bare prototype's rate over the raw loop's", None,
          lambda: _image_binary()["c1_bare"]),
    _case("image_least_c1", "image binary, 1 connection: rate of a blocking socket with a digest over the raw loop's",
          None, lambda: _image_binary()["c1_least"]),
    _case("image_bare_c8", "image binary, 8 connections: the bare prototype's rate over the raw loop's", None,
          lambda: _image_binary()["c8_bare"]),
    _case("beside_images", "tabular JSON beside images: its p99 less its p50 alone, in runs of the image", 1.0,
          lambda: _image_binary()["beside"], "lower"),
)  # fmt: skip
