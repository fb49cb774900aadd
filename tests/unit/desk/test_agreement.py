"""When verdicts agree: the truth table, and what holds for any ballots."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.labels import Choice, LabelSchema
from review.desk.agreement import Ballot, Conflict, Decided, More, Rule, agree

CHOICE = LabelSchema(kind="choice", choices=tuple(Choice(value=value) for value in "abc"))
NUMBER = LabelSchema(kind="number", tolerance=0.5)
SINGLE = Rule(agreement="single")
MAJORITY = Rule(agreement="majority", k=3, required=2)
UNANIMOUS = Rule(agreement="unanimous", k=2)


def ballots(answers: Sequence[str | float | None]) -> list[Ballot]:
    """Ballots with these answers, in this order."""
    return [Ballot(verdict_id=UUID(int=n), answer=answer) for n, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("rule", "answers", "expected"),
    [
        (SINGLE, "", "more"),
        (SINGLE, "a", "a"),
        (MAJORITY, "", "more"),
        (MAJORITY, "a", "more"),
        (MAJORITY, "ab", "more"),
        (MAJORITY, "aa", "a"),
        (MAJORITY, "aba", "a"),
        (MAJORITY, "abb", "b"),
        (MAJORITY, "abc", "conflict"),
        (Rule(agreement="majority", k=3, required=3), "ab", "conflict"),
        (Rule(agreement="majority", k=5, required=3), "aabb", "more"),
        (Rule(agreement="majority", k=5, required=3), "aabbb", "b"),
        (UNANIMOUS, "a", "more"),
        (UNANIMOUS, "aa", "a"),
        (UNANIMOUS, "ab", "conflict"),
    ],
)
def test_the_truth_table(rule: Rule, answers: str, expected: str) -> None:
    """Each row of the table in the docstring, by example."""
    outcome = agree(rule, ballots(answers), CHOICE.differs)
    told = {More: "more", Conflict: "conflict"}.get(type(outcome))
    assert (told or (isinstance(outcome, Decided) and outcome.answer)) == expected


def test_no_answer_is_right_is_an_answer_of_its_own() -> None:
    """Two people who say that no answer is right agree; one of them and an answer do not."""
    assert agree(MAJORITY, ballots([None, None]), CHOICE.differs) == Decided(
        answer=None, status="unanswerable", verdicts=(UUID(int=0), UUID(int=1))
    )
    assert isinstance(agree(UNANIMOUS, ballots([None, "a"]), CHOICE.differs), Conflict)


def test_numbers_agree_within_the_tolerance() -> None:
    """2.0 and 2.4 are one answer and 3.0 another: the one that the others are near to is taken."""
    assert agree(MAJORITY, ballots([2.0, 3.0, 2.4]), NUMBER.differs) == Decided(
        answer=2.0, status="answered", verdicts=(UUID(int=0), UUID(int=2))
    )


RULES = st.one_of(
    st.just(SINGLE),
    st.integers(1, 6).flatmap(
        lambda k: st.builds(Rule, agreement=st.just("majority"), k=st.just(k), required=st.integers(k // 2 + 1, k))
    ),
    st.builds(Rule, agreement=st.just("unanimous"), k=st.integers(1, 6)),
)
ANSWERS = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=6)


@given(RULES, ANSWERS)
def test_a_round_with_no_slot_left_is_never_undecided(rule: Rule, answers: list[str | None]) -> None:
    """When every slot is used it is decided or in conflict; with no ballot it is always undecided."""
    assert not isinstance(agree(rule, ballots(answers[: rule.slots]), CHOICE.differs), More) or (
        len(answers) < rule.slots
    )
    assert isinstance(agree(rule, [], CHOICE.differs), More)


@given(RULES, ANSWERS)
def test_a_decision_rests_on_enough_equal_ballots_and_stands(rule: Rule, answers: list[str | None]) -> None:
    """A decision names as many equal ballots as the rule needs, and no majority could still outvote it."""
    cast = ballots(answers[: rule.slots])
    outcome = agree(rule, cast, CHOICE.differs)
    if not isinstance(outcome, Decided):
        return
    named = [ballot for ballot in cast if ballot.verdict_id in outcome.verdicts]
    assert len(named) >= rule.needed
    assert {ballot.answer for ballot in named} == {outcome.answer}
    assert (len(cast) - len(named)) + (rule.slots - len(cast)) < rule.needed


@given(RULES, ANSWERS)
def test_a_conflict_can_no_longer_be_decided(rule: Rule, answers: list[str | None]) -> None:
    """However the slots that are left are filled, a conflict stays one."""
    cast = answers[: rule.slots]
    if isinstance(agree(rule, ballots(cast), CHOICE.differs), Conflict):
        for filler in ("a", "b", "c", None):
            filled = cast + [filler] * (rule.slots - len(cast))
            assert isinstance(agree(rule, ballots(filled), CHOICE.differs), Conflict)


@given(RULES, ANSWERS, st.randoms(use_true_random=False))
def test_the_order_of_ballots_decides_nothing(rule: Rule, answers: list[str | None], shuffler: object) -> None:
    """With choices the same ballots in another order come to the same answer."""
    cast = answers[: rule.slots]
    shuffled = list(cast)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (agree(rule, ballots(order), CHOICE.differs) for order in (cast, shuffled))
    assert type(one) is type(other)
    if isinstance(one, Decided) and isinstance(other, Decided):
        assert one.answer == other.answer
