"""The stages of one automated request, timed apart: the baseline of the speed work. Medians in microseconds."""

from collections.abc import Callable
from functools import cache, partial
from statistics import median
from time import perf_counter_ns

from gateway.holding.held import HeldPrediction
from gateway.stages import Stages
from gateway.tell import tell_at_once
from tests.bench.case import Case
from tests.bench.stand import Stand, open_stand, run

REQUESTS = 2000
WARM_UP = 300
STAGES = ("decode", "flags", "decide", "run", "settle")


async def _times() -> dict[str, float]:
    """The median of each stage over many requests, one at a time; `whole` is the pipeline from body to reply."""
    async with open_stand() as stand:
        await stand.switch(on=True)
        taken: dict[str, list[float]] = {name: [] for name in (*STAGES, "log", "encode", "whole")}
        _watch(stand, taken)
        for number in range(WARM_UP + REQUESTS):
            call = stand.call(f"the sentence number {number} is rather good")
            began = perf_counter_ns()
            reply = await stand.pipeline.handle(call)
            taken["whole"].append((perf_counter_ns() - began) / 1000)
            assert reply.status == 200
        return {name: median(values[WARM_UP:]) for name, values in taken.items()}


def _watch(stand: Stand, taken: dict[str, list[float]]) -> None:
    """Time recording and telling around the real functions, which the pipeline goes on to use."""
    capture = stand.pipeline._capture
    record = capture.record

    async def timed(prediction: HeldPrediction, flags: object, at: Stages, draw: float) -> object:
        for name in STAGES:
            taken[name].append(getattr(at.times(), f"{name}_us"))
        began = perf_counter_ns()
        position = await record(prediction, flags, at, draw)  # type: ignore[arg-type]
        taken["log"].append((perf_counter_ns() - began) / 1000)
        began = perf_counter_ns()
        tell_at_once(prediction)
        taken["encode"].append((perf_counter_ns() - began) / 1000)
        return position

    capture.record = timed  # type: ignore[method-assign, assignment]


@cache
def _all_times() -> dict[str, float]:
    return run(_times())


def _case(name: str, what: str) -> Case:
    measure: Callable[[], float] = partial(lambda key: _all_times()[key], name)
    return Case(
        name=f"stage_{name}_us", what=f"microseconds, median: {what}", better="lower", goal=None, measure=measure
    )


CASES = (
    _case("decode", "the JSON body to checked tensors, with their digest and the caller's wishes"),
    _case("flags", "the three flags of the model for this context"),
    _case("decide", "release, path and rule"),
    _case("run", "the model itself (TF-IDF and a linear classifier)"),
    _case("settle", "answers, scores, rules and draws"),
    _case("log", "the entry of the traffic log, written"),
    _case("encode", "the reply"),
    _case("whole", "all of it, from body to reply"),
)
