"""The truth table of `settle`."""
# ruff: noqa: E501 - a row of a table stays on its line

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Decision, public_rule
from gateway.plan import PrecedentPlan
from gateway.policy import Envelope, FieldRule
from gateway.settle import Run, settle
from tests.plans import CLASSES, TENANT, make_card, make_release


def decided(path: str = "automated", rule: str = "automated", by: str = "model", **policy: Any) -> Decision:
    """A decision for a release with this policy."""
    release = make_release(**policy)
    return Decision(release=release, path=path, rule=rule, by=by, policy=release.policy)


def ran(*scores: float, inputs: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A run in which each item is answered `positive` with the score given."""
    labels = np.array(["positive"] * len(scores), dtype=object)
    probabilities = np.array([[(1 - score) / 2, (1 - score) / 2, score] for score in scores], dtype=np.float32)
    arrays = {name: np.asarray(values) for name, values in (inputs or {}).items()}
    values: dict[str, Any] = {
        "inputs": arrays,
        "outputs": {"label": labels, "probabilities": probabilities},
        "items": len(scores),
        "draws": [0.5] * len(scores),
    }
    return Run(**(values | changes))


AMOUNT = FieldRule(name="large", input="amount", op=">", value=1000)
REGION = FieldRule(name="abroad", input="region", op="!=", value="home")
RANGE = {"amount": Envelope(minimum=0, maximum=500)}

TABLE = [
    ("sure enough", decided(hold_below=0.6), ran(0.9), "automated", False),
    ("exactly at the threshold", decided(hold_below=0.5), ran(0.5), "automated", False),
    ("below the threshold", decided(hold_below=0.6), ran(0.4), "below_threshold", True),
    ("no threshold", decided(), ran(0.0), "automated", False),
    ("below its class's own", decided(hold_below_by_class={"positive": 0.95}), ran(0.9), "below_threshold", True),
    ("its class's own is lower", decided(hold_below=0.9, hold_below_by_class={"positive": 0.1}), ran(0.5), "automated", False),
    ("not a number", decided(), ran(float("nan")), "not_finite", True),
    ("outside the envelope", decided(envelope=RANGE), ran(0.9, inputs={"amount": [[501.0]]}), "outside_envelope", True),
    ("NaN lies outside", decided(envelope=RANGE), ran(0.9, inputs={"amount": [[np.nan]]}), "outside_envelope", True),
    ("inside the envelope", decided(envelope=RANGE), ran(0.9, inputs={"amount": [[500.0]]}), "automated", False),
    ("a field rule", decided(field_rules=(AMOUNT,)), ran(0.9, inputs={"amount": [[2000]]}), "field_rule:large", True),
    ("a field rule on text", decided(field_rules=(REGION,)), ran(0.9, inputs={"region": ["far"]}), "field_rule:abroad", True),
    ("a field rule that is not met", decided(field_rules=(AMOUNT,)), ran(0.9, inputs={"amount": [[1000]]}), "automated", False),
    ("envelope before threshold", decided(envelope=RANGE, hold_below=0.6), ran(0.1, inputs={"amount": [[501.0]]}), "outside_envelope", True),
    ("the review path", decided("review", "automated_off", "people"), ran(0.99), "automated_off", True),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "run", "rule", "held"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_first_rule_that_holds_settles_the_item(decision: Decision, run: Run, rule: str, held: bool) -> None:
    """Each row of the truth table gives its rule, and holds the item or not."""
    settled = settle(decision, run)
    assert (settled.items[0].rule, settled.items[0].held) == (rule, held)
    assert settled.path == ("review" if held else decision.path)
    assert public_rule(rule)


@pytest.mark.parametrize(("value", "told"), [(np.nan, "nan"), (np.inf, "inf"), (501.0, 501.0)])
def test_evidence_holds_no_number_that_a_ledger_refuses(value: float, told: float | str) -> None:
    """An input that is not finite, which only binary data can bring, is told in words; any other as its number."""
    held = settle(decided(envelope=RANGE), ran(0.9, inputs={"amount": [[value]]})).items[0]
    assert held.evidence["value"] == told
    reviewed = settle(decided("review", "automated_off", "people"), ran(float("nan"))).items[0]
    assert reviewed.evidence == {"score": "nan"}


UNFIT = [
    ("sure enough", decided(hold_below=0.6), ran(0.9), ""),
    ("only below the threshold", decided(hold_below=0.6), ran(0.4), ""),
    ("outside the envelope", decided(envelope=RANGE), ran(0.9, inputs={"amount": [[501.0]]}), "outside_envelope"),
    ("before people anyway", decided("review", "automated_off", "people"), ran(0.9), ""),
    ("before people, and a field rule", decided("review", "asked", "people", field_rules=(AMOUNT,)), ran(0.9, inputs={"amount": [[2000]]}), "field_rule:large"),
    ("before people, and not a number", decided("review", "asked", "people"), ran(float("nan")), "not_finite"),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "run", "unfit"), [row[1:] for row in UNFIT], ids=[row[0] for row in UNFIT])
def test_what_holds_an_item_whatever_its_score_is_told_on_every_path(decision: Decision, run: Run, unfit: str) -> None:
    """Each row gives the rule that would hold the item, had neither a flag nor a threshold held it before."""
    assert settle(decision, run).items[0].unfit == unfit


def test_an_item_without_a_score_waits_when_a_threshold_is_declared() -> None:
    """A threshold without a confidence output holds everything, rather than letting everything through."""
    card = make_card(answer=msgspec.structs.replace(make_card().answer, confidence=None))
    release = make_release(card=card, hold_below=0.5)
    decision = Decision(release=release, path="automated", rule="automated", by="model", policy=release.policy)
    assert settle(decision, ran(0.99)).items[0].rule == "no_score"


@pytest.mark.parametrize(
    ("allowed", "output", "rule"),
    [
        ("refuse", "bounds", "not_finite"),
        ("null", "bounds", "automated"),
        ("null", "probabilities", "not_finite"),
    ],
)
def test_a_card_may_allow_what_is_not_finite_beside_the_answer(allowed: str, output: str, rule: str) -> None:
    """Declared as saying nothing, NaN holds no item, unless the answer or its confidence is read from it."""
    card = make_card(answer=msgspec.structs.replace(make_card().answer, not_finite=allowed))
    release = make_release(card=card)
    decision = Decision(release=release, path="automated", rule="automated", by="model", policy=release.policy)
    run = ran(0.9)
    outputs = dict(run.outputs) | {"bounds": np.ones((1, 3)), output: np.full((1, 3), np.nan)}
    assert settle(decision, msgspec.structs.replace(run, outputs=outputs)).items[0].rule == rule


def test_a_request_without_items_is_settled() -> None:
    """An empty batch has nothing to hold."""
    outputs = {"label": np.array([], dtype=object), "probabilities": np.zeros((0, 3), np.float32)}
    settled = settle(decided(hold_below=0.6), ran(outputs=outputs))
    assert (settled.path, settled.items) == ("automated", ())


def test_an_answer_that_is_none_of_the_schema_waits() -> None:
    """A label that the schema does not list is put before a person."""
    run = ran(0.9)
    outputs = dict(run.outputs) | {"label": np.array(["sarcastic"], dtype=object)}
    assert settle(decided(), msgspec.structs.replace(run, outputs=outputs)).items[0].rule == "unknown_answer"


def test_one_doubtful_row_of_many_is_held_alone() -> None:
    """Of 32 rows only the doubtful one waits; the prediction's path turns into review under that row's rule."""
    scores = [0.9] * 32
    scores[17] = 0.4
    settled = settle(decided(hold_below=0.6), ran(*scores))
    assert [item.item for item in settled.held] == [18]
    assert (settled.path, settled.rule) == ("review", "below_threshold")
    assert settled.held[0].evidence == {"score": pytest.approx(0.4), "hold_below": 0.6}


def test_the_audit_draw_is_recorded_with_its_probability() -> None:
    """An item is audited when its draw is below the rate in force, which pressure lowers before the draw."""
    policy = {"audit_rate": 0.3, "audit_rate_under_pressure": 0.1}
    calm = settle(decided(**policy), ran(0.9, 0.9, draws=[0.2, 0.4]))
    assert [(item.audit_probability, item.audited) for item in calm.items] == [(0.3, True), (0.3, False)]
    pressed = settle(decided(**policy), ran(0.9, 0.9, draws=[0.2, 0.05], pressed=True))
    assert [(item.audit_probability, item.audited) for item in pressed.items] == [(0.1, False), (0.1, True)]


OVERFLOW = [
    ("refused by default", decided(hold_below=0.6), "refuse"),
    ("the safe value", decided(hold_below=0.6, overflow="safe_value", safe_value="neutral"), "safe_value"),
    ("the model", decided(hold_below=0.6, overflow="automated"), "automated"),
    ("never past a halt", decided("review", "halted", "people", overflow="automated"), "refuse"),
    ("never past stale flags", decided("review", "flags_stale", "people", overflow="automated"), "refuse"),
]


@pytest.mark.parametrize(("decision", "overflow"), [row[1:] for row in OVERFLOW], ids=[row[0] for row in OVERFLOW])
def test_a_full_queue_answers_by_the_policys_overflow(decision: Decision, overflow: str) -> None:
    """When nothing more can be held, the rule is queue_full and a known share still becomes cases."""
    settled = settle(decision, ran(0.1, full=True, draws=[0.04]))
    assert (settled.rule, settled.overflow, settled.held) == ("queue_full", overflow, ())
    assert settled.items[0].audit_probability == 0.05
    assert settled.items[0].audited


@pytest.mark.parametrize("by", ["fallback", "nobody"])
def test_a_halt_without_people_holds_and_audits_nothing(by: str) -> None:
    """Where the fallback or nobody answers, no case is made, and the path still says review."""
    settled = settle(decided("review", "halted", by, audit_rate=1.0), ran(0.9))
    assert (settled.held, settled.items[0].audited, settled.path, settled.rule) == ((), False, "review", "halted")


def test_a_full_queue_leaves_sure_answers_alone() -> None:
    """Overflow concerns what would be held; a sure answer goes out as ever."""
    settled = settle(decided(hold_below=0.6), ran(0.9, full=True))
    assert (settled.rule, settled.overflow) == ("automated", None)


def test_a_precedent_answers_as_people_did() -> None:
    """The earlier correction is the answer, whatever the model's score."""
    precedent = PrecedentPlan(answer="negative", prediction_id=TENANT, item=1, outcome_revision=1, expires_us=9)
    decision = msgspec.structs.replace(decided(rule="precedent", by="precedent", hold_below=0.9), precedent=precedent)
    settled = settle(decision, ran(0.1))
    assert (settled.items[0].answer, settled.items[0].held, settled.rule) == ("negative", False, "precedent")


@given(
    scores=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40),
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=40, max_size=40),
    threshold=st.floats(0, 1),
    full=st.booleans(),
    path=st.sampled_from([("automated", "automated", "model"), ("review", "automated_off", "people")]),
)
def test_every_item_is_held_or_answered_and_none_twice(
    scores: list[float], draws: list[float], threshold: float, full: bool, path: tuple[str, str, str]
) -> None:
    """Items keep their order, a held item is never audited, and nothing is held while the queue is full."""
    settled = settle(decided(*path, hold_below=threshold), ran(*scores, draws=draws[: len(scores)], full=full))
    assert [item.item for item in settled.items] == list(range(1, len(scores) + 1))
    assert not any(item.held and item.audited for item in settled.items)
    assert not (full and settled.held)
    assert (settled.path == "review") is (bool(settled.held) or settled.overflow is not None)
    assert all(item.answer in CLASSES for item in settled.items)
