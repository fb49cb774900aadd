"""What the three flags of a request cost, from its facts to the view. Medians in microseconds."""

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter_ns

from flags.context import RequestFacts
from flags.definitions import Constraint, State, body_of, constrained, rolled_out, switched, with_model_flags
from flags.engine import load
from flags.folding import FoldedFlags
from tests.bench.case import Case

MODEL, FLAG = "sentiment", "sentiment.automated"
REQUESTS = 20_000
TENANT = Constraint(context_name="tenant", operator="IN", values=("tenant-3", "tenant-7"))

OFF = with_model_flags(State(), MODEL)
ON = switched(OFF, FLAG, on=True)
STATES: dict[str, tuple[str, State]] = {
    "off": ("off for everybody", OFF),
    "on": ("on for everybody", ON),
    "rollout": ("a 25 % rollout that sticks to the request", rolled_out(ON, FLAG, 25)),
    "constraint": ("one constraint on the tenant", constrained(ON, FLAG, (TENANT,))),
}


def _measure(state: State) -> float:
    body = body_of(state)
    flags = FoldedFlags(load(body), body)
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


CASES = tuple(_case(name, what, state) for name, (what, state) in STATES.items())
