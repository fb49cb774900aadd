"""What the three flags of a request cost, from its facts to the view, and what loading many keeps waiting."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from statistics import median
from time import perf_counter_ns

from msgspec.structs import replace

from flags.context import RequestFacts
from flags.definitions import (
    Constraint,
    Payload,
    State,
    Variant,
    body_of,
    constrained,
    digest_of,
    rolled_out,
    switched,
    with_model_flags,
    with_variants,
)  # fmt: skip
from flags.embedded import AdoptedFlags
from flags.folding import fold
from flags.store import StoredState
from tests.bench.case import Case

MODEL, FLAG = "sentiment", "sentiment.automated"
REQUESTS = 20_000
TENANT = Constraint(context_name="tenant", operator="IN", values=("tenant-3", "tenant-7"))
DATE = Constraint(context_name="currentTime", operator="DATE_AFTER", value="2026-11-22T14:00:00Z")

OFF = with_model_flags(State(), MODEL)
ON = switched(OFF, FLAG, on=True)
STATES: dict[str, tuple[str, State]] = {
    "off": ("off for everybody", OFF),
    "on": ("on for everybody", ON),
    "rollout": ("a 25 % rollout that sticks to the request", rolled_out(ON, FLAG, 25)),
    "constraint": ("one constraint on the tenant", constrained(ON, FLAG, (TENANT,))),
    "date": ("on from a date", constrained(ON, FLAG, (DATE,))),
}
LOADS = 30
LOAD_S = 0.1
MODELS = 334


def _measure(state: State) -> float:
    body = body_of(state)
    flags = fold(body)
    taken = []
    for number in range(REQUESTS):
        began = perf_counter_ns()
        facts = RequestFacts(
            model=MODEL, tenant=f"tenant-{number % 10}", caller="key", sticky_key=f"digest-{number}", now_us=number
        )
        flags.view(facts)
        taken.append((perf_counter_ns() - began) / 1000)
    return median(taken[REQUESTS // 10 :])


def _case(name: str, what: str, state: State) -> Case:
    measure: Callable[[], float] = partial(_measure, state)
    return Case(
        name=f"flags_{name}_us", what=f"microseconds, median, three flags: {what}", better="lower", goal=10.0,
        measure=measure,
    )  # fmt: skip


def _a_thousand(release: int) -> State:
    """The flags of many models: a rollout to some tenants, with a variant written for a release."""
    payload = Payload(type="json", value=f'{{"release": "{MODEL}@{release}", "hold_below": 0.9}}')
    one = constrained(rolled_out(ON, FLAG, 25), FLAG, (TENANT,))
    one = with_variants(one, FLAG, (Variant(name="careful", weight=1000, payload=payload),))
    features = (
        replace(feature, name=feature.name.replace(MODEL, f"{MODEL}-{number}"))
        for number in range(MODELS) for feature in one.features
    )  # fmt: skip
    return State(features=tuple(features))


async def _tick(late_ms: list[float]) -> None:
    """Take every turn of the loop, and note how long each took to come round."""
    before = perf_counter_ns()
    while True:
        await asyncio.sleep(0)
        late_ms.append(((now := perf_counter_ns()) - before) / 1e6)
        before = now


async def _longest_turns(*, loading: bool) -> list[float]:
    """The longest turn of the loop during each load, or in as long a time without one, in milliseconds."""
    source, late_ms, longest = AdoptedFlags(), [0.0], []
    ticking = asyncio.create_task(_tick(late_ms))
    for release in range(LOADS):
        body = body_of(_a_thousand(release))
        state = StoredState(version=release, digest=digest_of(body), body=body)
        await asyncio.sleep(0.01)
        late_ms.clear()
        await (source.adopt(state, release) if loading else asyncio.sleep(LOAD_S))
        longest.append(max(late_ms))
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    return longest


def _turn_case(name: str, what: str, goal: float | None, *, loading: bool) -> Case:
    return Case(
        name=name, what=f"milliseconds, median of {LOADS}: the longest turn of the event loop {what}", better="lower",
        goal=goal, measure=lambda: median(asyncio.run(_longest_turns(loading=loading))),
    )  # fmt: skip


TURNS = (
    _turn_case("flags_load_turn_ms", "while 1,002 flags are loaded", 10.0, loading=True),
    _turn_case(
        "flags_idle_turn_ms", "in as long a time without a load, which is the machine's own share", None, loading=False
    ),
)
CASES = (*(_case(name, what, state) for name, (what, state) in STATES.items()), *TURNS)
