"""What would surprise is named: a table of flags, each with the rule that finds it and a word of what is said."""

import json
from typing import get_args

import msgspec
import pytest

from gateway.context import AllowedContext, ContextProperty
from gateway.policy import Policy
from review.lint.carried import ALWAYS, carried_by
from review.lint.finding import LEVELS, Finding, Known, Rule
from review.lint.rules import lint
from tests.worlds import CARD

Json = dict[str, object]
FIELDS = ALWAYS | {"userId", "plan"}
KNOWN = Known(
    cards={"m@7": msgspec.structs.replace(CARD, policy=Policy())},
    releases=frozenset({"m@6", "m@7"}),
    fields=FIELDS,
)
ALL = [{"name": "default"}]


def state(*features: Json, segments: list[Json] | None = None) -> bytes:
    """A state with the flags of model `m`, off, some of them replaced; and any others."""
    plain = {f"m.{kind}": {"enabled": False, "strategies": ALL} for kind in ("automated", "shadow", "candidate")}
    given = plain | {str(one["name"]): one for one in features}
    listed = [{"name": name, **one} for name, one in given.items()]
    return json.dumps({"version": 2, "features": listed, "segments": segments or []}).encode()


def flag(kind: str = "automated", **parts: object) -> Json:
    """A flag of model `m` that is on."""
    return {"name": f"m.{kind}", "enabled": True, "strategies": ALL} | parts


def by(name: str = "default", **parts: object) -> Json:
    """A flag with one strategy."""
    return flag(strategies=[{"name": name, **parts}])


def having(field: str, operator: str = "IN", **parts: object) -> Json:
    """A flag with one constraint."""
    return by(constraints=[{"contextName": field, "operator": operator, "values": ["a"], **parts}])


def paying(payload: object, kind: str = "automated", type_: str = "json") -> Json:
    """A flag with a payload."""
    value = payload if isinstance(payload, str) else json.dumps(payload)
    return flag(kind, variants=[{"name": "v", "weight": 1000, "payload": {"type": type_, "value": value}}])


def rolled(**parameters: str) -> Json:
    """A flag with a rollout."""
    return by("flexibleRollout", parameters={"rollout": "50", "groupId": "m"} | parameters)


FOUND = [
    ("custom strategy", by("beta-testers"), "custom-strategy", "custom strategies are code, which cannot be replayed"),
    ("by machine", by("applicationHostname"), "misread", "depends on which machine answers"),
    ("operator", having("plan", "NEAR"), "misread", "got 'NEAR'"),
    ("percentage", rolled(rollout="120"), "misread", "0 to 100"),
    ("segment", by(segments=[9]), "misread", "got 9"),
    ("no strategy, on", flag(strategies=[]), "misread", "on is on for everybody"),
    ("unknown field", by(constraint=[]), "unreadable", "constraint"),
    ("field", having("country"), "field-never-sent", "never holds"),
    ("field, not in", having("country", "NOT_IN"), "field-never-sent", "always holds"),
    ("field, inverted", having("country", inverted=True), "field-never-sent", "always holds"),
    ("field, inverted twice", having("country", "NOT_IN", inverted=True), "field-never-sent", "never holds"),
    ("addresses", by("remoteAddress", parameters={"IPs": "10.0.0.1"}), "field-never-sent", "lets nobody in"),
    ("stickiness", rolled(stickiness="account"), "stickiness-without-a-key", "No request carries 'account'"),
    ("stickiness, chance", rolled(stickiness="random"), "drawn-by-chance", "a retry may be answered otherwise"),
    ("old chance", by("gradualRolloutRandom", parameters={"percentage": "5"}), "drawn-by-chance", "draws anew"),
    ("nobody", rolled(rollout="0"), "on-for-nobody", "off for everybody"),
    ("stale", flag(stale=True), "stale", "still decides"),
    ("no release", paying({"hold_below": 0.9}), "payload-ignored", "'release'"),
    ("text", paying("careful", type_="string"), "payload-ignored", "type json"),
    ("no JSON", paying("{"), "payload-ignored", "type json"),
    ("no such release", paying({"release": "m@9"}), "payload-ignored", "no release 'm@9'"),
    ("other model", paying({"release": "n@7"}), "payload-ignored", "no release 'n@7'"),
    ("earlier release", paying({"release": "m@6", "hold_below": 0.9}), "payload-of-another-release", "changes nothing"),
    ("bounds", paying({"release": "m@7", "hold_below": 7}), "payload-ignored", "hold_below: Expected"),
    ("no number", paying({"release": "m@7", "hold_below": "high"}), "payload-ignored", "hold_below: Expected"),
    ("not to override", paying({"release": "m@7", "fallback": "refuse"}), "payload-ignored", "'fallback' is not to"),
    (
        "class",
        paying({"release": "m@7", "hold_below_by_class": {"angry": 0.9}}),
        "payload-ignored",
        "no class 'angry'",
    ),
    ("payload of shadow", paying({"release": "m@7"}, kind="shadow"), "payload-unread", "Only the payload"),
    ("model", {"name": "gone.automated", "enabled": True, "strategies": ALL}, "no-such-model", "no model 'gone'"),
]


def only(found: tuple[Finding, ...]) -> Finding:
    """The one thing that was found."""
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(("word", "feature", "rule", "said"), FOUND, ids=[row[0] for row in FOUND])
def test_what_would_surprise_is_found(word: str, feature: Json, rule: Rule, said: str) -> None:
    """Each flag is found by exactly one rule, which says what happens instead."""
    found = only(lint(state(feature), {"m": KNOWN}))
    assert (found.rule, found.flag) == (rule, feature["name"])
    assert said in found.said


FINE = [
    ("off", flag(enabled=False)),
    ("off, no strategy yet", flag(enabled=False, strategies=[])),
    ("a known field", having("plan")),
    ("the clock", having("currentTime", "DATE_AFTER", values=[], value="2026-11-22T14:00:00Z")),
    ("the tenant", having("tenant")),
    ("sticky by default", rolled(stickiness="default")),
    ("sticky by a field", rolled(stickiness="plan")),
    ("numbers of what serves", paying({"release": "m@7", "hold_below": 0.9, "audit_rate": 0.1})),
    ("a class of the model", paying({"release": "m@7", "hold_below_by_class": {"negative": 0.9}})),
    ("another team's flag", {"name": "checkout", "enabled": True, "strategies": [{"name": "custom"}], "new": 1}),
    ("another team's words", {"name": "x.y", "enabled": True, "strategies": []}),
]


@pytest.mark.parametrize(("word", "feature"), FINE, ids=[row[0] for row in FINE])
def test_what_does_what_it_says_is_not_named(word: str, feature: Json) -> None:
    """Nothing is said of a flag that does what it says, nor of flags that are no model's."""
    assert lint(state(feature), {"m": KNOWN}) == ()


def test_variants_by_a_field_that_is_not_there_are_drawn_by_chance() -> None:
    """Both of two variants are named; a single one needs no drawing."""
    two = [{"name": name, "weight": 500, "stickiness": "account"} for name in "ab"]
    found = lint(state(flag(variants=two)), {"m": KNOWN})
    assert [(one.rule, one.place) for one in found] == [
        ("stickiness-without-a-key", f"variants[{index}].stickiness") for index in (0, 1)
    ]
    assert lint(state(flag(variants=[{**two[0], "weight": 1000}])), {"m": KNOWN}) == ()


def test_a_model_without_its_flags_is_named() -> None:
    """Each of the three flags that a model lacks is an error, since it is off."""
    found = lint(b'{"version": 2, "features": []}', {"m": KNOWN})
    assert [(one.flag, one.rule, one.level) for one in found] == [
        (f"m.{kind}", "missing", "error") for kind in ("automated", "candidate", "shadow")
    ]


def test_what_a_flag_depends_on_is_read_too() -> None:
    """A parent that is no model's flag is held to the engine, and so are the segments that it refers to."""
    parent = {"name": "rollout", "enabled": True, "strategies": [{"name": "default", "segments": [1]}]}
    segment = {"id": 1, "constraints": [{"contextName": "plan", "operator": "NEAR", "values": ["a"]}]}
    child = flag(dependencies=[{"feature": "rollout"}])
    found = only(lint(state(child, parent, segments=[segment]), {"m": KNOWN}))
    assert (found.rule, found.flag) == ("misread", "segment 1")


def test_a_segment_s_field_is_named_at_the_flag() -> None:
    """A constraint within a segment that no request meets is named at the flag that it keeps off."""
    segment = {
        "id": 4,
        "name": "Europe",
        "constraints": [{"contextName": "continent", "operator": "IN", "values": ["EU"]}],
    }
    found = only(lint(state(by(segments=[4]), segments=[segment]), {"m": KNOWN}))
    assert (found.rule, found.place) == (
        "field-never-sent",
        "strategies[0].segments (Europe).constraints[0].contextName",
    )


def test_what_an_unleash_server_serves_is_read() -> None:
    """A flag as an Unleash server serves it, with everything that it says beside what counts, is fine."""
    served = {
        "name": "m.automated", "type": "release", "enabled": True, "project": "default", "stale": False,
        "description": None, "impressionData": False, "dependencies": [], "variants": [],
        "strategies": [{
            "name": "flexibleRollout", "title": None, "segments": [], "variants": [],
            "parameters": {"groupId": "m.automated", "rollout": "100", "stickiness": "default"},
            "constraints": [{"contextName": "plan", "operator": "IN", "values": ["gold"], "value": "",
                             "inverted": False, "caseInsensitive": False}],
        }],
    }  # fmt: skip
    assert lint(state(served), {"m": KNOWN}) == ()


def test_what_a_card_lets_callers_tell_is_carried() -> None:
    """Users unless the card says otherwise, addresses where it says so, and the properties that it lists."""
    assert carried_by(AllowedContext()) == ALWAYS | {"userId"}
    listed = AllowedContext(user=False, address=True, properties={"plan": ContextProperty()})
    assert carried_by(listed) == ALWAYS | {"remoteAddress", "plan"}


def test_every_rule_has_a_level() -> None:
    """The table of levels has each rule once."""
    assert set(LEVELS) == set(get_args(Rule))
