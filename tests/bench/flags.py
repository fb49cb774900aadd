"""What the three flags of a request cost, from its facts to the view, and what loading many keeps waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import pbkdf2_hmac
from statistics import median
from time import perf_counter_ns, thread_time_ns
from typing import NamedTuple

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
from gateway.context import AllowedContext, ContextProperty, ContextReader
from gateway.context_header import context_pairs
from lockgate.processes.memory import keep_pauses_short
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
PLAN = Constraint(context_name="plan", operator="IN", values=("gold",))
READER = ContextReader(AllowedContext(properties={"plan": ContextProperty(values=("gold", "free"))}))
LOADS = 30
HASHES = 100_000
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


def _measure_told(headers: Sequence[str], parameters: dict[str, str | float | bool]) -> float:
    """From what a caller tells to the view, with a rollout by user to those who have a plan."""
    flags = fold(body_of(constrained(rolled_out(ON, FLAG, 25), FLAG, (PLAN,))))
    taken = []
    for number in range(REQUESTS):
        began = perf_counter_ns()
        told = READER.read(context_pairs(headers), parameters)
        facts = RequestFacts(
            model=MODEL, tenant="tenant", caller="key", sticky_key=f"digest-{number}", now_us=number,
            user_id=told.user_id, session_id=told.session_id, properties=told.properties,
        )  # fmt: skip
        flags.view(facts)
        taken.append((perf_counter_ns() - began) / 1000)
    return median(taken[REQUESTS // 10 :])


def _measure_silence() -> float:
    """What reading a context costs a request that tells nothing."""
    taken = []
    for _ in range(REQUESTS):
        began = perf_counter_ns()
        READER.read(context_pairs(()), {})
        taken.append((perf_counter_ns() - began) / 1000)
    return median(taken)


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


class Turn(NamedTuple):
    """A turn of the event loop: how long it took, and how long its thread had the processor, in milliseconds."""

    took: float
    worked: float


async def _tick(turns: list[Turn]) -> None:
    """Take every turn of the loop and note it."""
    began, worked = perf_counter_ns(), thread_time_ns()
    while True:
        await asyncio.sleep(0)
        now, work = perf_counter_ns(), thread_time_ns()
        turns.append(Turn((now - began) / 1e6, (work - worked) / 1e6))
        began, worked = now, work


async def _longest_turns(load: Callable[[StoredState], Awaitable[object]]) -> list[Turn]:
    """The longest turn during each load."""
    turns, longest = [Turn(0.0, 0.0)], []
    bodies = [body_of(_a_thousand(release)) for release in range(LOADS)]
    keep_pauses_short()  # as a gateway that is ready
    ticking = asyncio.create_task(_tick(turns))
    for version, body in enumerate(bodies):
        await asyncio.sleep(0.01)
        turns.clear()
        await load(StoredState(version=version, digest=digest_of(body), body=body))
        longest.append(Turn(*map(max, zip(*turns, strict=True))))
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    return longest


async def _adopting() -> list[Turn]:
    return await _longest_turns(partial(AdoptedFlags().adopt, known_us=0))


async def _hashing() -> list[Turn]:
    """With a thread that takes as long as a load does, and nothing of the interpreter."""
    return await _longest_turns(lambda _: asyncio.to_thread(pbkdf2_hmac, "sha256", b"", b"", HASHES))


TOLD = (
    Case(
        name="flags_told_us",
        what="microseconds, median, three flags: a user and a plan by parameters, a constraint and a rollout on them",
        better="lower",
        goal=10.0,
        measure=lambda: _measure_told((), {"user_id": "u-17", "plan": "gold"}),
    ),
    Case(
        name="flags_header_us",
        what="microseconds, median: the same by the header, which has to be taken apart",
        better="lower",
        goal=None,
        measure=lambda: _measure_told(("user_id=u-17&plan=gold",), {}),
    ),
    Case(
        name="flags_silence_us",
        what="microseconds, median: reading the context of a request that tells nothing",
        better="lower",
        goal=1.0,
        measure=_measure_silence,
    ),
)
TURNS = (
    Case(
        name="flags_load_work_ms",
        what=f"milliseconds of processor time in one turn of the event loop, most of {LOADS} loads of 1,002 flags",
        better="lower",
        goal=10.0,
        measure=lambda: max(turn.worked for turn in asyncio.run(_adopting())),
    ),
    Case(
        name="flags_load_turn_ms",
        what=f"milliseconds, median of {LOADS}: the longest turn of the event loop while 1,002 flags are loaded",
        better="lower",
        goal=10.0,
        measure=lambda: median(turn.took for turn in asyncio.run(_adopting())),
    ),
    Case(
        name="flags_hash_turn_ms",
        what="milliseconds: the same while a thread only hashes, which is the machine's own share",
        better="lower",
        goal=None,
        measure=lambda: median(turn.took for turn in asyncio.run(_hashing())),
    ),
)
CASES = (*(_case(name, what, state) for name, (what, state) in STATES.items()), *TOLD, *TURNS)
