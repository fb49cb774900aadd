"""What the console says in words."""

import pytest

from gateway.decision import PUBLIC_RULES
from gateway.labels import Choice, LabelSchema
from gateway.policy import FieldRule, Policy
from gateway.times import SECOND_US
from review.console import words

POLICY = Policy(field_rules=(FieldRule(name="large", input="amount", op=">", value=100_000),))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.031, "31 ms"),
        (38, "38 s"),
        (89, "89 s"),
        (720, "12 min"),
        (3600, "1 h"),
        (5400, "1.5 h"),
        (172_800, "2 days"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    """A length of time is told in the unit that fits."""
    assert words.duration(seconds) == said


@pytest.mark.parametrize(("moment_s", "said"), [(99, "just now"), (90, "10 s ago"), (160, "in 60 s")])
def test_ago(moment_s: int, said: str) -> None:
    """A moment is told as seen from now."""
    assert words.ago(moment_s * SECOND_US, 100 * SECOND_US) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.5, "0.5"), (3.0, "3"), (1234.5678, "1234.5678"), (120_000.0, "120,000"), (float("nan"), "nan")],
)
def test_numbers(value: float, said: str) -> None:
    """Numbers stand as people write them."""
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("rule", "evidence", "said"),
    [
        ("below_threshold", {"score": 0.41, "hold_below": 0.6}, "Confidence 0.41, held below 0.60."),
        (
            "outside_envelope",
            {"input": "loan_to_price", "value": 1.72, "maximum": 1.5},
            "loan_to_price is 1.72; in training it was at most 1.5.",
        ),
        (
            "field_rule:large",
            {"input": "amount", "value": 120_000.0, "limit": 100_000.0},
            "The rule “large” applies: amount is 120,000, held when > 100,000.",
        ),
        ("field_rule:gone", {"input": "amount", "value": "a lot"}, "The rule “gone” applies: amount is “a lot”."),
        ("asked", {}, "The caller asked for a person."),
        ("of_tomorrow", {}, "The rule “of_tomorrow” applied."),
    ],
)
def test_why(rule: str, evidence: dict[str, float | str], said: str) -> None:
    """Each rule is a sentence with its numbers; a rule that is not known yet is named."""
    assert words.why(rule, evidence, POLICY) == said


@pytest.mark.parametrize("rule", PUBLIC_RULES)
def test_every_rule_has_its_sentence(rule: str) -> None:
    """No rule that can hold an item falls back to its bare name."""
    if rule != "field_rule":
        assert "The rule “" not in words.why(rule, {}, POLICY)


def test_a_blind_case_tells_no_numbers() -> None:
    """A blind case is explained without what would give the model away."""
    said = words.why("below_threshold", {"score": 0.41, "hold_below": 0.6}, POLICY, blind=True)
    assert "0.41" not in said


def test_an_audit_tells_its_probability() -> None:
    """A random check says how likely it was."""
    said = words.why_case("audit", "automated", {}, POLICY, probability=0.05)
    assert said == "A random check of an answer that went out, drawn with probability 0.05."


def test_a_conflict_shows_both_answers() -> None:
    """A ground truth stands beside what people said; a blind reviewer is shown neither."""
    evidence = {"truth": "low", "truth_source": "lab", "people": "high", "people_source": "people"}
    said = words.why_case("report", "truth_conflict", evidence, POLICY)
    assert said == "The source “lab” says “low”; people said “high”. Who is right?"
    blind = words.why_case("report", "truth_conflict", evidence, POLICY, blind=True)
    assert "low" not in blind
    assert "high" not in blind


def test_answers() -> None:
    """A choice is told by its title, a number with its unit, and no answer as such."""
    schema = LabelSchema(kind="choice", choices=(Choice(value="neg", title="Negative"),))
    assert words.answer("neg", schema) == "Negative"
    assert words.answer(41.5, LabelSchema(kind="number", unit="°C")) == "41.5 °C"
    assert words.answer(None, schema) == "no answer"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("s@2 was promoted.", '<a href="/console/models/s/releases/2">s@2</a> was promoted.'),
        (
            "s@12 for s@2",
            '<a href="/console/models/s/releases/12">s@12</a> for <a href="/console/models/s/releases/2">s@2</a>',
        ),
        ("from <i>s@x</i> & a@2", "from &lt;i&gt;s@x&lt;/i&gt; &amp; a@2"),
        ("my-s@2, s@2x, s@", "my-s@2, s@2x, s@"),
    ],
)
def test_a_release_that_is_named_leads_to_its_page(said: str, shown: str) -> None:
    """Only releases of the model that the sentence is about, whole; whatever else stands in it stays text."""
    assert str(words.with_releases(said, "s")) == shown
