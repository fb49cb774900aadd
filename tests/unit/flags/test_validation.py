"""What is written is what the engine does: a table of what is refused, each with a word on why it matters."""

import json

import pytest

from flags.definitions import State, body_of, state_from, with_model_flags
from flags.errors import InvalidFlags
from flags.validation import problems, validated

Json = dict[str, object]


def state_of(feature: Json, segments: list[Json] | None = None) -> State:
    """A state with the flag `m.shadow`, on for all but for what `feature` says, and a parent flag."""
    plain: Json = {"name": "m.shadow", "enabled": True, "strategies": [{"name": "default"}]}
    parent: Json = {"name": "parent", "enabled": True, "strategies": [{"name": "default"}]}
    grandchild: Json = {**parent, "name": "child", "dependencies": [{"feature": "parent"}]}
    return state_from(
        json.dumps({"features": [plain | feature, parent, grandchild], "segments": segments or []}).encode()
    )


def strategy(name: str = "default", **parts: object) -> Json:
    """A flag with one strategy."""
    return {"strategies": [{"name": name, **parts}]}


def constraint(operator: str, context_name: str = "x", **parts: object) -> Json:
    """A flag with one strategy with one constraint."""
    return strategy(constraints=[{"contextName": context_name, "operator": operator, **parts}])


def rollout(**parameters: str) -> Json:
    """A flag with one rollout."""
    return strategy("flexibleRollout", parameters=parameters)


def variants(*some: Json) -> Json:
    """A flag with variants."""
    return {"variants": [{"name": f"v{index}", "weight": 1} | one for index, one in enumerate(some)]}


REFUSED = [
    # The engine answers off for ever, and nobody sees why.
    ("custom", strategy("beta-testers"), "strategies[0].name: expected default or flexibleRollout"),
    ("custom, why", strategy("beta-testers"), "custom strategies are code, which cannot be replayed"),
    ("machine", strategy("applicationHostname"), "depends on which machine answers"),
    ("operator", constraint("NEAR", values=["a"]), "strategies[0].constraints[0].operator: expected one of IN, NOT_IN"),
    ("lower case", constraint("in", values=["a"]), "got 'in'"),
    ("number", constraint("NUM_GT", value="abc"), "constraints[0].value: expected a number such as 0.75; got 'abc'"),
    ("infinite", constraint("NUM_GT", value="1e999"), "expected a number"),
    ("values for value", constraint("NUM_GT", values=["3"]), "values: expected none: NUM_GT compares with one 'value'"),
    ("no value", constraint("NUM_GT"), "value: expected a value"),
    ("value for values", constraint("IN", value="a"), "value: expected none: IN compares with a list of 'values'"),
    ("no values", constraint("STR_CONTAINS"), "values: expected at least one"),
    ("version", constraint("SEMVER_GT", value="1.0"), "expected a semantic version such as 1.4.0; got '1.0'"),
    ("v-version", constraint("SEMVER_EQ", value="v1.0.0"), "expected a semantic version"),
    ("no zone", constraint("DATE_AFTER", value="2026-01-01T00:00:00"), "expected a moment such as 2026-11-22T14:00"),
    ("day", constraint("DATE_AFTER", value="2026-01-01"), "expected a moment"),
    ("no such day", constraint("DATE_AFTER", value="2026-02-30T00:00:00Z"), "expected a moment"),
    ("regex", constraint("REGEX", value="["), "expected a regular expression without look-around"),
    ("network", constraint("IN_CIDR", values=["10.0.0.0/8", "home"]), "values[1]: expected an IP address or a network"),
    ("percent", rollout(rollout="101"), "rollout: expected a whole number from 0 to 100, as text; got '101'"),
    ("fraction", rollout(rollout="2.5"), "expected a whole number from 0 to 100"),
    ("misspelt", rollout(rollout="5", sticky="userId"), "expected rollout or stickiness or groupId; got 'sticky'"),
    ("no percent", rollout(stickiness="userId"), "parameters.rollout: expected it: 'flexibleRollout' needs it"),
    ("users", strategy("userWithId", parameters={"userIds": " , "}), "expected at least one user id"),
    ("address", strategy("remoteAddress", parameters={"IPs": "10.0.0.1, here"}), "got 'here'"),
    ("segment", strategy(segments=[7]), "strategies[0].segments: expected the id of a segment in 'segments'; got 7"),
    ("parent", {"dependencies": [{"feature": "gone"}]}, "dependencies[0].feature: expected the name of another flag"),
    ("itself", {"dependencies": [{"feature": "m.shadow"}]}, "expected the name of another flag"),
    ("chain", {"dependencies": [{"feature": "child"}]}, "expected a flag that depends on none; 'child' does"),
    ("its variant", {"dependencies": [{"feature": "parent", "variants": ["v"]}]}, "expected variants of 'parent'"),
    # The engine answers on for everybody.
    ("no strategy", {"strategies": []}, "strategies: expected an active one"),
    ("none active", strategy(disabled=True), "strategies: expected an active one"),
    ("inverted regex", constraint("REGEX", value="[", inverted=True), "expected a regular expression"),
    ("inverted date", constraint("DATE_AFTER", value="2026", inverted=True), "expected a moment"),
    ("rule in a name", constraint("IN", 'x"] in ["a"] or true or context["y', values=["q"]), "without quotes"),
    # The engine reads another text than was written, or panics.
    ("backslash", constraint("IN", values=["a\\"]), "expected text that does not end in a backslash"),
    ("group", rollout(rollout="5", groupId='g"x'), "parameters.groupId: expected 1 to 100 characters without quotes"),
    ("no weight", variants({"weight": 0}), "variants: expected a weight above 0 on at least one"),
    ("negative", variants({"weight": -5}, {"weight": 6}), "variants[0].weight: expected 0 to 1000; got -5"),
    ("twins", variants({"name": "v"}, {"name": "v"}), "expected each variant once; 'v' is there more often"),
    ("overrides", strategy(variants=[{"name": "v", "weight": 1, "overrides": [{"contextName": "u", "values": ["a"]}]}]),
     "only a flag's own variants have overrides"),
    ("weight type", variants({"weightType": "fixed"}), "expected fix or variable"),
    ("sticky", variants({"stickiness": ""}), "variants[0].stickiness"),
    # Nobody could read the payload.
    ("payload type", variants({"payload": {"type": "yaml", "value": "a: 1"}}), "expected the type to be string or csv"),
    ("payload", variants({"payload": {"type": "json", "value": "{"}}), "variants[0].payload: expected valid JSON"),
    ("payload number", variants({"payload": {"type": "number", "value": "many"}}), "expected a number; got 'many'"),
    ("payload of policy", {"name": "m.automated", **variants({"payload": {"type": "string", "value": "{}"}})},
     "expected type json and a JSON object"),
    ("payload of no release", {"name": "m.automated", **variants({"payload": {"type": "json", "value": "{}"}})},
     "the 'release' that they were written for"),
    ("name", {"name": "m shadow"}, "name: expected 1 to 100 letters"),
    ("twice", {"name": "parent"}, "State: features: expected each flag once; 'parent' is there more often"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "feature", "sentence"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(word: str, feature: Json, sentence: str) -> None:
    """What the engine would read as something else is refused, with flag, place and what was expected."""
    with pytest.raises(InvalidFlags) as refusal:
        validated(state_of(feature))
    assert sentence in str(refusal.value)


ACCEPTED = [
    ("on for all", {}),
    ("off with a rollout", {"enabled": False, **rollout(rollout="25", stickiness="userId", groupId="g")}),
    ("all operators on text", constraint("STR_STARTS_WITH", values=["a", 'say "hi"', "ü€"], caseInsensitive=True)),
    ("empty twin member", constraint("NUM_GTE", value="-1.5e3", values=[])),
    ("moment", constraint("DATE_BEFORE", "currentTime", value="2026-11-22T14:00:00.000+01:00")),
    ("version", constraint("SEMVER_LTE", value="1.4.0-rc.1+build.5")),
    ("regex", constraint("REGEX", value=r"^\w+@example\.org$")),
    ("network", constraint("IN_CIDR", values=["10.0.0.1/8", "2001:db8::/32"])),
    ("users", strategy("userWithId", parameters={"userIds": "a, b"})),
    ("addresses", strategy("remoteAddress", parameters={"IPs": "10.0.0.1,10.1.0.0/16"})),
    ("old rollouts", strategy("gradualRolloutUserId", parameters={"percentage": "5", "groupId": "g"})),
    ("segment", strategy(segments=[4])),
    ("one of two active", {"strategies": [{"name": "default", "disabled": True}, {"name": "default"}]}),
    ("parent", {"dependencies": [{"feature": "parent", "enabled": False}]}),
    ("payloads",
     variants({"payload": {"type": "number", "value": "3.5"}}, {"payload": {"type": "csv", "value": "a,b"}})),
    ("policy", {"name": "m.automated", **variants({"payload": {"type": "json", "value": '{"release":"m@3"}'}})}),
]  # fmt: skip


@pytest.mark.parametrize(("word", "feature"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_accepted(word: str, feature: Json) -> None:
    """What the engine reads as it is written is accepted as it is."""
    state = state_of(feature, [{"id": 4, "constraints": []}])
    assert validated(state) == body_of(state)


def test_a_segment_s_constraints_are_read_too() -> None:
    """A segment with a bad condition is refused under its id, even while nothing refers to it."""
    bad: Json = {"id": 9, "constraints": [{"contextName": "x", "operator": "NUM_GT", "value": "?"}]}
    assert problems(state_of({}, [bad])) == (
        "Segment 9: constraints[0].value: expected a number such as 0.75; got '?'.",
    )


def test_every_problem_is_told_at_once() -> None:
    """One refusal tells all that is wrong."""
    found = problems(state_of({**rollout(rollout="x"), **variants({"weight": 0})}))
    assert len(found) == 2


def test_new_flags_are_valid() -> None:
    """The flags that a model is born with pass."""
    state = with_model_flags(State(), "m")
    assert validated(state) == body_of(state)
