"""What is told when nobody has judged in time."""

from math import inf

import pytest

from gateway.holding.fallback import fallback_of
from gateway.policy import Policy

REFUSE = Policy()
SAFE = Policy(fallback="safe_value", safe_value="no")
PROVISIONAL = Policy(fallback="provisional", provisional_rules=("below_threshold", "field_rule"), provisional_after_s=5)

ROWS = [
    ("refuse is the default", REFUSE, ["below_threshold"], inf, True, "refusal"),
    ("a safe value needs no time", SAFE, ["automated_off"], 0.0, True, "fallback"),
    ("a safe value for a halt too: it is the operator's own", SAFE, ["halted"], 0.0, True, "fallback"),
    ("provisional after its time", PROVISIONAL, ["below_threshold"], 5.0, True, "provisional"),
    ("not before", PROVISIONAL, ["below_threshold"], 4.999, True, "refusal"),
    ("not for a rule that is not listed", PROVISIONAL, ["automated_off"], inf, True, "refusal"),
    ("every held item's rule must be listed", PROVISIONAL, ["below_threshold", "asked"], inf, True, "refusal"),
    ("a listed kind lists its field rules", PROVISIONAL, ["field_rule:large"], inf, True, "provisional"),
    ("not with NaN in it", PROVISIONAL, ["below_threshold"], inf, False, "refusal"),
    ("not without held items", PROVISIONAL, [], inf, True, "refusal"),
]


@pytest.mark.parametrize(
    ("policy", "rules", "waited_s", "finite", "told"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_fallback(policy: Policy, rules: list[str], waited_s: float, finite: bool, told: str) -> None:
    """The declared fallback under its conditions."""
    assert fallback_of(policy, rules, waited_s=waited_s, finite=finite) == told


@pytest.mark.parametrize("rule", ["halted", "flags_stale", "flags_unknown"])
def test_no_outage_skips_the_person(rule: str) -> None:
    """A policy that lists a halt or stale flags all the same is not followed in that."""
    careless = Policy(fallback="provisional", provisional_rules=(rule,), provisional_after_s=0)
    assert fallback_of(careless, [rule], waited_s=inf) == "refusal"
