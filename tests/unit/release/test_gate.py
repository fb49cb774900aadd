"""The gate: the table of `review.release.gate`, row by row, and that the worst check wins."""

from typing import Any

import msgspec
import pytest

from review.release.declared import Declared
from review.release.evidence import Comparison, EvaluationEvidence, Interval, TrialEvidence
from review.release.gate import Facts, GateReport, Thresholds, Verdict, judge, lowered_terms, percent


def interval(value: float, low: float, high: float, n: int = 500) -> Interval:
    """An interval, shortly."""
    return Interval(value=value, low=low, high=high, n=n)


def compared(value: float, low: float, high: float, what: str = "overall") -> Comparison:
    """A comparison with this difference."""
    share = interval(0.9, 0.88, 0.92)
    return Comparison(
        what=what, champion=share, candidate=share, difference=interval(value, low, high), fixes=14, breaks=2
    )


BETTER = compared(0.024, 0.01, 0.04)
EVALUATION = EvaluationEvidence(dataset="d" * 64, held_out=500, overlap=0, comparisons=(BETTER,))
TRIAL = TrialEvidence(
    compared=1000, disagreements=40, missing=3, wins=25, losses=10, both_right=1, both_wrong=1, cannot_tell=1, open=2,
    win_share=interval(0.71, 0.55, 0.84, 35),
)  # fmt: skip
GOOD = Facts(
    faults=(), halted=None, owner="Reviews", same_model=False, lowered=("It is version 2.",),
    evaluation=EVALUATION, trial=TRIAL,
)  # fmt: skip


def evaluation(**changes: Any) -> dict[str, Any]:
    """The facts with another evaluation."""
    return {"evaluation": msgspec.structs.replace(EVALUATION, **changes)}


def trial(**changes: Any) -> dict[str, Any]:
    """The facts with another trial."""
    return {"trial": msgspec.structs.replace(TRIAL, **changes)}


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        ({}, "promote", "+2.4% right answers (95 % interval +1.0% to +4.0%, 500 items, fixes 14, breaks 2)"),
        ({"faults": ("The model file is missing.",)}, "refuse", "model file is missing"),
        ({"halted": "wrong since 14:03"}, "refuse", "halted: wrong since 14:03"),
        ({"owner": " "}, "refuse", "Nobody owns the model's errors."),
        ({"unowned": ("irony",)}, "refuse", "Nobody owns the errors of irony: name an owner in [labels.owners]."),
        ({"unowned": ("negation", "irony", "mixed")}, "refuse", "the errors of negation, irony and mixed"),
        ({"owners": {"irony": "Linguists"}}, "promote", "owned by Reviews, those of irony by Linguists."),
        ({"owner": "", "owners": {"irony": "Linguists"}}, "refuse", "Nobody owns the model's errors."),
        ({"unowned": ("irony",), "trial": None}, "refuse", "Nobody owns the errors of irony"),
        ({"unowned": ("irony",), "same_model": True}, "refuse", "Nobody owns the errors of irony"),
        ({"unowned": ("irony",), "lowered": ()}, "promote", "owned by Reviews"),
        ({"owner": "", "lowered": ()}, "refuse", "Nobody owns the model's errors."),
        ({"evaluation": None}, "wait", "was not evaluated"),
        (evaluation(overlap=3), "refuse", "3 of the 500 held-out items were in its training data"),
        (evaluation(overlap=None), "wait", "nobody can tell whether it was trained on the held-out items"),
        (evaluation(overlap=None, comparisons=(compared(-0.05, -0.08, -0.021),)), "refuse", "worse by more than 2.0%"),
        (evaluation(held_out=99), "wait", "Only 99 held-out items were evaluated, and 100 are needed"),
        (evaluation(held_out=100), "promote", "not worse"),
        (evaluation(comparisons=()), "wait", "compares nothing"),
        (evaluation(comparisons=(compared(-0.01, -0.019, 0.0),)), "promote", "not worse by more than 2.0%"),
        (evaluation(comparisons=(compared(-0.01, -0.02, 0.0),)), "wait", "may be worse"),
        (evaluation(comparisons=(compared(-0.05, -0.08, -0.02),)), "wait", "may be worse"),
        (evaluation(comparisons=(compared(-0.05, -0.08, -0.021),)), "refuse", "worse by more than 2.0%"),
        (evaluation(comparisons=(BETTER, compared(-0.2, -0.3, -0.1, "age=old"))), "refuse", "age=old"),
        (evaluation(comparisons=(BETTER, compared(-0.1, -0.3, 0.1, "age=old"))), "wait", "age=old"),
        (evaluation(elsewhere=("m@2 ran on another server.",)), "promote", "m@2 ran on another server."),
        (evaluation(elsewhere=("m@2 ran elsewhere.",), held_out=9), "wait", "m@2 ran elsewhere."),
        ({"trial": None}, "wait", "No trial of it is open"),
        (trial(wins=15, losses=4), "wait", "decided 19 of its disagreements for either side, and 20 are needed"),
        (trial(win_share=None), "wait", "2 disagreements wait for people"),
        (trial(wins=0, losses=0, compared=0, win_share=None), "wait", "Nothing was answered by both"),
        (trial(win_share=interval(0.5, 0.3, 0.7)), "promote", "25 for it and 10 against it"),
        (trial(win_share=interval(0.49, 0.3, 0.7)), "wait", "it may lose"),
        (trial(win_share=interval(0.3, 0.2, 0.5)), "wait", "it may lose"),
        (trial(win_share=interval(0.3, 0.2, 0.49)), "refuse", "it loses"),
        ({"same_model": True, "evaluation": None, "trial": None}, "promote", "champion's own model file"),
        ({"lowered": (), "evaluation": None, "trial": None, "halted": "wrong"}, "promote", "owned by Reviews"),
        ({"lowered": (), "faults": ("The model file is missing.",)}, "refuse", "missing"),
        ({"evaluation": None, "halted": "wrong"}, "refuse", "halted"),
        ({"recipe_required": True}, "refuse", "Nobody said how it was trained"),
        ({"recipe_required": True, "recipe": True}, "promote", "How it was trained is recorded"),
        ({"recipe_required": True, "same_model": True}, "promote", "nothing was trained"),
        ({"recipe_required": True, "lowered": ()}, "promote", "owned by Reviews"),
    ],
)
def test_the_worst_check_wins(change: dict[str, Any], verdict: Verdict, word: str) -> None:
    """Each row of the table, with its reason; and a refusal beside a wait is a refusal."""
    report = judge(msgspec.structs.replace(GOOD, **change))
    assert report.verdict == verdict
    assert word in " ".join(report.reasons(verdict))


def test_every_reason_is_listed() -> None:
    """Nothing is hidden behind the first refusal: all that refuse and all that wait are told."""
    report = judge(
        msgspec.structs.replace(
            GOOD, owner="", unowned=("irony",), halted="x", evaluation=None, trial=None, faults=("A.", "B.")
        )
    )
    assert [(check.name, check.verdict) for check in report.checks] == [
        ("artifacts", "refuse"), ("owner", "refuse"), ("halt", "refuse"), ("evaluation", "wait"), ("trial", "wait"),
    ]  # fmt: skip
    assert report.reasons("refuse") == (
        "A.", "B.", "Nobody owns the model's errors.",
        "Nobody owns the errors of irony: name an owner in [labels.owners].", "The model is halted: x",
    )  # fmt: skip
    assert len(report.reasons("wait")) == 2


def test_what_only_raises_human_control_is_asked_for_no_evidence() -> None:
    """The report says so, and has no check of evidence."""
    report = judge(msgspec.structs.replace(GOOD, lowered=(), evaluation=None, trial=None))
    assert report.at_once
    assert [check.name for check in report.checks] == ["artifacts", "owner"]


def declared(thresholds: Thresholds | None) -> Declared[Thresholds]:
    """The terms that somebody declared."""
    return Declared(revision=3, declaration=thresholds, by="person:ada", why="it is new", declared_us=1)


TERMS = Thresholds(margin=0.0505, min_held_out=500, min_decided=35)


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        ({}, "promote", "overall: +2.4%"),
        (evaluation(held_out=499), "wait", "Only 499 held-out items were evaluated, and 500 are needed"),
        (evaluation(comparisons=(compared(-0.01, -0.05, 0.0),)), "promote", "not worse by more than 5.05%"),
        (evaluation(comparisons=(compared(-0.01, -0.0505, 0.0),)), "wait", "may be worse by more than 5.05%"),
        (evaluation(comparisons=(compared(-0.09, -0.1, -0.051),)), "refuse", "worse by more than 5.05%"),
        (evaluation(comparisons=(BETTER, compared(-0.09, -0.1, -0.051, "age=old"))), "refuse", "age=old"),
        (trial(wins=25, losses=9), "wait", "decided 34 of its disagreements for either side, and 35 are needed"),
    ],
)
def test_the_gate_asks_for_what_was_declared(change: dict[str, Any], verdict: Verdict, word: str) -> None:
    """With other terms each border lies where they say, in verdict and words, and the report names who did that."""
    report = judge(msgspec.structs.replace(GOOD, **change), declared(TERMS))
    assert (report.verdict, report.thresholds) == (verdict, TERMS)
    assert word in " ".join(report.reasons(verdict))
    assert report.terms is not None
    assert (report.terms.by, report.asks) == (
        "person:ada", "at most 5.05% worse on 500 held-out items, 35 decided disagreements",
    )  # fmt: skip


def test_with_terms_that_were_cleared_it_asks_for_what_it_asks_of_every_model() -> None:
    """Never declared and cleared are the same, and the report tells them apart."""
    never, cleared = judge(GOOD), judge(GOOD, declared(None))
    assert never.thresholds == cleared.thresholds == Thresholds()
    assert (never.terms, cleared.terms) == (None, declared(None))


@pytest.mark.parametrize(
    ("shall", "lowered"),
    [
        ({}, ()),
        ({"margin": 0.05}, ()),
        ({"margin": 0.0506}, ("margin",)),
        ({"min_held_out": 501, "min_decided": 36}, ()),
        ({"min_held_out": 499}, ("min_held_out",)),
        ({"min_decided": 34, "margin": 0.01}, ("min_decided",)),
        ({"margin": 0.5, "min_held_out": 1, "min_decided": 1}, ("margin", "min_held_out", "min_decided")),
    ],
)
def test_terms_are_lower_by_each_number_that_asks_for_less(shall: dict[str, Any], lowered: tuple[str, ...]) -> None:
    """A larger margin, or a smaller count, whatever the other numbers ask for."""
    assert lowered_terms(TERMS, msgspec.structs.replace(TERMS, **shall)) == lowered


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "0.0%"), (0.02, "2.0%"), (0.1, "10.0%"), (0.0005, "0.05%"), (0.123456, "12.3456%")]
)
def test_a_margin_is_told_as_it_was_declared(share: float, told: str) -> None:
    """In percent, not rounded to another number that the gate does not go by."""
    assert percent(share) == told


def test_a_report_that_was_kept_before_terms_were_declared_is_read() -> None:
    """The history of a ledger that is older than the terms stays readable."""
    kept = msgspec.to_builtins(judge(GOOD))
    older = {name: kept[name] for name in ("verdict", "at_once", "checks", "thresholds")}
    assert msgspec.convert(older, GateReport).terms is None
