"""Replayed raters: each verdict is one real person's."""

from collections import Counter

from demo.data.reviews import Snippet
from demo.raters import Rating, ReplayedRaters

RATINGS = (-3, -1, 0, 0, 0, 2, 4)
SNIPPET = Snippet(key="1_1", review="1", text="it works, mostly", ratings=RATINGS)


def replay(seed: int) -> list[Rating]:
    """Every rating of the sentence, as this seed gives them out."""
    raters = ReplayedRaters([SNIPPET], seed)
    return [rating for _ in range(len(RATINGS) + 1) if (rating := raters.next_rating(SNIPPET.text))]


def test_each_person_is_replayed_exactly_once() -> None:
    """The values given out are the ratings of the sentence, each as often as people gave it, then nothing."""
    assert Counter(rating.value for rating in replay(seed=1)) == Counter(RATINGS)


def test_a_verdict_is_the_class_of_that_persons_rating() -> None:
    """Below zero is negative, zero is neutral, above is positive, although the mean of this sentence is neutral."""
    assert {(rating.value, rating.label) for rating in replay(seed=1)} == {
        (-3, "negative"),
        (-1, "negative"),
        (0, "neutral"),
        (2, "positive"),
        (4, "positive"),
    }


def test_the_order_is_the_seeds() -> None:
    """The same seed replays the same people in the same order, and some other seed does not."""
    assert replay(seed=1) == replay(seed=1)
    assert any(replay(seed=1) != replay(seed=other) for other in range(2, 6))


def test_nobody_is_invented_for_a_sentence_that_nobody_rated() -> None:
    """A text that is not in the data set has no rater."""
    assert ReplayedRaters([SNIPPET], seed=1).next_rating("typed just now") is None


def test_people_who_rated_the_same_words_elsewhere_are_raters_of_them_too() -> None:
    """Two records with one text pool their people, all of whom read exactly these words."""
    twin = Snippet(key="2_1", review="2", text=SNIPPET.text, ratings=(1, 1))
    raters = ReplayedRaters([SNIPPET, twin], seed=1)
    given = [raters.next_rating(SNIPPET.text) for _ in range(len(RATINGS) + 2)]
    assert Counter(rating.value for rating in given if rating) == Counter((*RATINGS, 1, 1))
