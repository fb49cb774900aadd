"""Which release only raises human control: the table of `review.release.control`, row by row."""

from typing import Any

import msgspec
import pytest

from gateway.policy import Envelope, FieldRule
from review.release.control import lowered_control
from tests.plans import make_release

LARGE = FieldRule(name="large", input="amount", op=">", value=100)
WAS: dict[str, Any] = {
    "hold_below": 0.6,
    "hold_below_by_class": {"negative": 0.8},
    "envelope": {"age": Envelope(minimum=18, maximum=90)},
    "field_rules": (LARGE,),
    "audit_rate": 0.1,
    "audit_rate_under_pressure": 0.05,
    "provisional_rules": ("below_threshold",),
    "fallback": "safe_value",
    "safe_value": "neutral",
    "overflow": "safe_value",
    "fail_mode": "refuse",
}


@pytest.mark.parametrize(
    ("shall", "word"),
    [
        ({}, None),
        ({"hold_below": 0.7}, None),
        ({"hold_below": 0.5}, "hold_below falls"),
        ({"hold_below_by_class": {"negative": 0.9, "neutral": 0.6}}, None),
        ({"hold_below_by_class": {"negative": 0.7}}, "'negative' is held below 0.7 instead of 0.8"),
        ({"hold_below_by_class": {}}, "'negative' is held below 0.6 instead of 0.8"),
        ({"hold_below_by_class": {"negative": 0.8, "neutral": 0.5}}, "'neutral' is held below 0.5 instead of 0.6"),
        ({"hold_below": 0.9, "hold_below_by_class": {}}, None),
        ({"envelope": {"age": Envelope(minimum=21, maximum=80), "sum": Envelope(maximum=1)}}, None),
        ({"envelope": {"age": Envelope(minimum=18)}}, "envelope of 'age' is wider"),
        ({"envelope": {}}, "envelope of 'age' is wider or gone"),
        ({"field_rules": (LARGE, FieldRule(name="old", input="age", op=">", value=60))}, None),
        ({"field_rules": ()}, "no longer has 'large'"),
        ({"audit_rate": 0.2}, None),
        ({"audit_rate": 0.06}, "audit_rate falls"),
        ({"audit_rate_under_pressure": 0.01}, "audit_rate_under_pressure falls"),
        ({"pressure_at": 0.9}, None),
        ({"pressure_at": 0.5}, "pressure_at falls"),
        ({"wait_cap_s": 30.0}, None),
        ({"wait_cap_s": 5.0}, "wait_cap_s falls"),
        ({"provisional_rules": ()}, None),
        ({"provisional_rules": ("below_threshold", "asked")}, "names 'asked', too"),
        ({"fallback": "refuse"}, None),
        ({"fallback": "provisional"}, "fallback lets more pass"),
        ({"overflow": "refuse"}, None),
        ({"overflow": "automated"}, "overflow lets more pass"),
        ({"fail_mode": "hold"}, None),
        ({"fail_mode": "automated"}, "fail_mode lets more pass"),
        ({"unrecorded": "answer"}, "unrecorded lets more pass"),
        ({"stale_after_s": 60.0}, None),
        ({"stale_after_s": 900.0}, "stale_after_s grows"),
        ({"safe_value": "positive"}, "safe_value changes"),
        ({"precedent_days": 10}, "precedent_days changes"),
        ({"max_open_holds": 10}, "max_open_holds falls"),
        ({"overflow_sample": 0.01}, "overflow_sample falls"),
        ({"capture": 0.5}, "capture falls"),
    ],
)
def test_a_policy_beside_the_champions(shall: dict[str, Any], word: str | None) -> None:
    """Each number that lets more past people is named, and nothing else is."""
    found = lowered_control(make_release(1, **WAS), msgspec.structs.replace(make_release(2, **WAS | shall), version=1))
    assert len(found) == (word is not None)
    assert word is None or word in found[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"version": 2}, "It is version 2, and version 1 serves."),
        ({"version": 1, "label_schema_sha256": "t" * 64}, "Its label schema is another one."),
        ({"version": 1, "guideline_sha256": "h" * 64}, None),
    ],
)
def test_a_release_beside_the_champion(change: dict[str, Any], word: str | None) -> None:
    """Another model or other answers are for the gate; another guideline lets no answer past people."""
    assert lowered_control(make_release(1), msgspec.structs.replace(make_release(2), **change)) == (
        () if word is None else (word,)
    )
