"""The rated sentences: how they are parsed, classed and split."""

import pytest

from demo.data.reviews import Snippet, class_of, parse_snippets, split_snippets
from demo.errors import DataUnreadable


def snippet(key: str, text: str) -> Snippet:
    """A sentence that two people rated."""
    return Snippet(key=key, review=key.partition("_")[0], text=text, ratings=(1, 2))


@pytest.mark.parametrize(
    ("rating", "label"),
    [
        (-4, "negative"),
        (-1, "negative"),
        (-0.5, "negative"),
        (-0.45, "neutral"),
        (0, "neutral"),
        (0.45, "neutral"),
        (0.5, "positive"),
        (1, "positive"),
        (4, "positive"),
    ],
)
def test_the_cuts_lie_at_half_a_point(rating: float, label: str) -> None:
    """A mean is neutral strictly between −0.5 and 0.5, so a single whole rating is classed by its sign."""
    assert class_of(rating) == label


def test_the_two_files_are_joined_by_id_and_not_by_line() -> None:
    """Ratings find their sentence although the files are in different orders."""
    parsed = parse_snippets("1_1\t1.5\tgood\r\n1_2\t-2\tbad", "1_2\t-2\t0\t[-2, -2]\r\n1_1\t1.5\t.5\t[1, 2]")
    assert [(each.key, each.text, each.ratings, each.label) for each in parsed] == [
        ("1_1", "good", (1, 2), "positive"),
        ("1_2", "bad", (-2, -2), "negative"),
    ]


@pytest.mark.parametrize(
    ("texts", "ratings", "problem"),
    [
        ("1_1\tgood", "1_1\t1\t0\t[1]", "3 fields"),
        ("1_1\t1\tgood", "1_2\t1\t0\t[1]", "has no ratings"),
        ("1_1\t1\tgood", "1_1\t1\t0\t[1.5]", "whole numbers"),
        ("1_1\t1\tgood", "1_1\t1\t0\t[5]", "between −4 and 4"),
        ("1_1\t1\tgood", "1_1\t1\t0\t[]", "between −4 and 4"),
    ],
)
def test_files_that_are_not_as_described_are_refused(texts: str, ratings: str, problem: str) -> None:
    """Each way in which the files can be wrong is a sentence of its own."""
    with pytest.raises(DataUnreadable, match=problem):
        parse_snippets(texts, ratings)


def test_a_review_is_never_torn_apart() -> None:
    """All sentences of a review lie on one side."""
    split = split_snippets(tuple(snippet(f"{review}_{n}", f"{review} {n}") for review in range(90) for n in range(3)))
    train, held_out = ({each.review for each in side} for side in (split.train, split.held_out))
    assert train
    assert held_out
    assert not train & held_out


def test_a_sentence_that_training_knows_is_not_kept_back() -> None:
    """Equal words in another review, whatever their case and spaces, are dropped from the held-out side."""
    texts = ("I  love it!", "i love IT!")
    split = split_snippets(tuple(snippet(f"{review}_1", texts[review % 2]) for review in range(60)))
    assert split.train
    assert split.held_out == ()
