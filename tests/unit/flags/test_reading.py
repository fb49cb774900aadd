"""What a flag's answer depends on."""

import pytest

from flags.definitions import Constraint, Dependency, Feature, Override, Segment, State, Strategy, Variant
from flags.reading import Reads, reads_of

ON_FOR_ALL = Strategy(name="default")
PLAN = Constraint(context_name="plan", operator="IN", values=("gold",))
CLOCK = Constraint(context_name="currentTime", operator="DATE_AFTER", value="2026-11-22T14:00:00.000Z")
CLOCK_AS_TEXT = Constraint(context_name="currentTime", operator="STR_ENDS_WITH", values=("00:00",))
BY_CLOCK = Override(context_name="currentTime", values=("x",))
UNREADABLE = Constraint(context_name="currentTime", operator="DATE_AFTER", value="2026-11-22")
HALF = (Variant(name="a", weight=500), Variant(name="b", weight=500))


def rollout(percent: str, stickiness: str = "default") -> Strategy:
    """A gradual rollout."""
    return Strategy(name="flexibleRollout", parameters={"rollout": percent, "stickiness": stickiness, "groupId": "f"})


def flag(*strategies: Strategy, **more: object) -> Feature:
    """A flag that is on, with these strategies."""
    return Feature(name="f", enabled=True, strategies=strategies or (ON_FOR_ALL,), **more)  # type: ignore[arg-type]


NOTHING, CHANCE = Reads(), Reads(chance=True)
SESSION = Reads(fields=("sessionId", "userId"))


@pytest.mark.parametrize(
    ("feature", "reads"),
    [
        pytest.param(flag(), NOTHING, id="on for everybody"),
        pytest.param(Feature(name="f", enabled=False, strategies=(rollout("5"),)), NOTHING, id="off for everybody"),
        pytest.param(Feature(name="other", enabled=True, strategies=(rollout("5"),)), NOTHING, id="unknown"),
        pytest.param(flag(rollout("100")), NOTHING, id="a full rollout"),
        pytest.param(flag(rollout("100", "plan")), Reads(fields=("plan",)), id="everybody who has a plan"),
        pytest.param(flag(rollout("25")), SESSION, id="a share"),
        pytest.param(flag(rollout("25", "userId")), Reads(fields=("userId",)), id="a share of users"),
        pytest.param(flag(rollout("25", "tenant")), Reads(fields=("tenant",)), id="a share of tenants"),
        pytest.param(flag(rollout("25", "random")), CHANCE, id="a share at random"),
        pytest.param(flag(Strategy(name="default", constraints=(PLAN,))), Reads(fields=("plan",)), id="a constraint"),
        pytest.param(
            flag(Strategy(name="default", constraints=(CLOCK,))), Reads(moments=(1_795_356_000_000_000,)), id="a date",
        ),
        pytest.param(
            flag(Strategy(name="default", constraints=(CLOCK, PLAN, CLOCK))),
            Reads(fields=("plan",), moments=(1_795_356_000_000_000,)), id="a date beside a field",
        ),
        pytest.param(flag(Strategy(name="default", constraints=(CLOCK_AS_TEXT,))), CHANCE, id="the clock as text"),
        pytest.param(flag(Strategy(name="default", constraints=(UNREADABLE,))), CHANCE, id="a date that is none"),
        pytest.param(flag(rollout("50", "currentTime")), CHANCE, id="a share by the clock"),
        pytest.param(flag(Strategy(name="default", segments=(7,))), Reads(fields=("region",)), id="a segment"),
        pytest.param(flag(Strategy(name="userWithId")), Reads(fields=("userId",)), id="an old strategy"),
        pytest.param(flag(Strategy(name="ourOwn")), CHANCE, id="a strategy that is code"),
        pytest.param(
            flag(Strategy(name="default", constraints=(PLAN, CLOCK_AS_TEXT))),
            Reads(fields=("plan",), chance=True), id="a field beside chance",
        ),
        pytest.param(flag(variants=HALF[:1]), NOTHING, id="one variant"),
        pytest.param(flag(variants=HALF), SESSION, id="two variants"),
        pytest.param(
            flag(variants=tuple(Variant(name=name, weight=1, stickiness="plan") for name in "ab")),
            Reads(fields=("plan",), chance=True), id="two variants by a field that may be missing",
        ),
        pytest.param(
            flag(variants=(Variant(name="a", weight=1, overrides=(Override(context_name="plan", values=("x",)),)),)),
            Reads(fields=("plan",)), id="an override",
        ),
        pytest.param(
            flag(variants=(Variant(name="a", weight=1, overrides=(BY_CLOCK,)),)),
            CHANCE, id="an override by the clock",
        ),
        pytest.param(flag(dependencies=(Dependency(feature="above"),)), Reads(fields=("plan",)), id="a dependency"),
        pytest.param(flag(dependencies=(Dependency(feature="f"),)), CHANCE, id="a flag that depends on itself"),
    ],
)  # fmt: skip
def test_what_a_flag_reads(feature: Feature, reads: Reads) -> None:
    """A flag reads what its strategies, constraints, segments, variants and dependencies name, and nothing else."""
    above = Feature(name="above", enabled=True, strategies=(Strategy(name="default", constraints=(PLAN,)),))
    region = Constraint(context_name="region", operator="IN", values=("eu",))
    state = State(features=(feature, above), segments=(Segment(id=7, constraints=(region,)),))
    assert reads_of(state, "f") == reads


def test_a_long_row_of_dependencies_is_not_followed() -> None:
    """A row of dependencies longer than anybody writes counts as chance at its top, and ends with what it reads."""
    row = tuple(
        Feature(
            name=f"f{number}",
            enabled=True,
            strategies=(ON_FOR_ALL,),
            dependencies=(Dependency(feature=f"f{number + 1}"),),
        )
        for number in range(5_000)
    )
    assert (reads_of(State(features=row), "f0"), reads_of(State(features=row), "f4999")) == (CHANCE, NOTHING)
