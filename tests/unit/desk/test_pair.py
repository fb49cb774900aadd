"""Two unnamed answers: their order, and what choosing among them amounts to."""

from uuid import UUID

import pytest

from gateway.labels import Answer, LabelSchema
from review.desk.pair import CHOICES, Pair, pair_of
from review.desk.ruling import Judgement, Ruling, rule_on
from review.errors import VerdictRefused
from tests.worlds import SENTIMENT

OWN, OTHER = UUID(int=1), UUID(int=2)
NUMBER = LabelSchema(kind="number", tolerance=1.0)
TEXT = LabelSchema(kind="text")
EVEN, ODD = 0.25, 0.25 + 2**-53


def pair(answer: Answer | None, other: Answer | None, *, own_first: bool = True) -> Pair:
    """A pair in this order."""
    evidence = {} if other is None else {"other": other}
    made = pair_of(OWN, OTHER, answer, evidence, EVEN if own_first else ODD)
    assert made is not None
    return made


def ruled(kind: str, two: Pair, schema: LabelSchema, answer: Answer | None = None, rationale: str = "never") -> Ruling:
    """What is recorded of a judgement of two answers."""
    return rule_on(
        Judgement(kind=kind, answer=answer, post_key="k"),  # type: ignore[arg-type]
        model_answer=two.answers[two.own], blind=False, schema=schema, rationale=rationale, pair=two,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_order_is_the_last_bit_of_the_draw() -> None:
    """Whose answer stands first is drawn with the case, and the releases are named in the same order."""
    assert pair("a", "b").answers == ("a", "b")
    turned = pair("a", "b", own_first=False)
    assert (turned.answers, turned.releases, turned.own) == (("b", "a"), (OTHER, OWN), 1)
    assert pair_of(OWN, None, "a", {}, None) is None


@pytest.mark.parametrize("own_first", [True, False])
@pytest.mark.parametrize(
    ("schema", "own", "other", "kind", "given", "recorded", "answer"),
    [
        (SENTIMENT, "negative", "positive", "own", None, "approve", "negative"),
        (SENTIMENT, "negative", "positive", "other", None, "correct", "positive"),
        (SENTIMENT, "negative", "positive", "neither", "neutral", "correct", "neutral"),
        (SENTIMENT, "negative", "positive", "cannot_tell", None, "cannot_tell", None),
        (SENTIMENT, "negative", None, "own", None, "approve", "negative"),
        (NUMBER, 1.0, 5.0, "both", None, "approve", 1.0),
        (NUMBER, 1.0, 5.0, "neither", 3.0, "correct", 3.0),
        (TEXT, "a", "b", "both", None, "approve", "a"),
        (TEXT, "a", "b", "unanswerable", None, "unanswerable", None),
    ],
)
def test_a_choice_is_a_verdict(
    schema: LabelSchema, own: Answer, other: Answer | None, kind: str, given: Answer | None, recorded: str,
    answer: Answer | None, own_first: bool,
) -> None:  # fmt: skip
    """Whatever the order, choosing the release's answer approves it, and any other right answer corrects it."""
    sides = {"own": "first" if own_first else "second", "other": "second" if own_first else "first"}
    said = sides.get(kind, kind)
    ruling = ruled(said, pair(own, other, own_first=own_first), schema, given)
    assert (ruling.kind, ruling.answer) == (recorded, answer)
    assert ruling.choice == (said if said in CHOICES else None)


@pytest.mark.parametrize(
    ("schema", "two", "kind", "given"),
    [
        (SENTIMENT, pair("negative", "positive"), "approve", None),
        (SENTIMENT, pair("negative", "positive"), "correct", "neutral"),
        (SENTIMENT, pair("negative", "positive"), "both", None),
        (SENTIMENT, pair("negative", "positive"), "neither", None),
        (SENTIMENT, pair("negative", "positive"), "neither", "positive"),
        (SENTIMENT, pair("negative", None), "second", None),
        (NUMBER, pair(1.0, 5.0), "neither", 1.5),
        (NUMBER, pair(1.0, None), "both", None),
    ],
)
def test_what_says_nothing_about_two_answers_is_refused(
    schema: LabelSchema, two: Pair, kind: str, given: Answer | None
) -> None:
    """A verdict that names a release, both of two choices, neither without an answer or with one of the two."""
    with pytest.raises(VerdictRefused):
        ruled(kind, two, schema, given)


def test_a_choice_needs_two_answers() -> None:
    """A case with one answer is approved or corrected."""
    with pytest.raises(VerdictRefused):
        rule_on(
            Judgement(kind="first", post_key="k"),
            model_answer="negative", blind=False, schema=SENTIMENT, rationale="never",
        )  # fmt: skip


def test_asking_for_words_tells_nobody_whose_answer_was_chosen() -> None:
    """`on_correction` asks for a rationale when neither is right, and never for choosing one of the two."""
    for own_first in (True, False):
        two = pair("negative", "positive", own_first=own_first)
        for kind in ("first", "second"):
            assert ruled(kind, two, SENTIMENT, rationale="on_correction").rationale is None
        with pytest.raises(VerdictRefused):
            ruled("neither", two, SENTIMENT, "neutral", "on_correction")
