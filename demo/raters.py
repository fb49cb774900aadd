"""People who rated the sentences years ago, sitting at the desk again: each verdict is one real person's rating.

Only the sentences have ratings of single people. Digits and mortgage applications come with one truth each, and a truth
is not a reviewer: nobody is replayed for them.
"""

from collections.abc import Iterable
from random import Random

import msgspec

from demo.data.reviews import Snippet, class_of

REPLAYED_MODEL = "sentiment"


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said of one sentence: the number, −4 to 4, and the class that it means."""

    value: int
    label: str


class ReplayedRaters:
    """Gives out the ratings of each sentence one by one, in an order that depends on nothing but `seed`.

    A rating is drawn without replacement: two verdicts on a sentence are two persons'. The same rule that turns a mean
    rating into the label turns one rating into a class, so negative numbers are `negative`, 0 is `neutral` and positive
    numbers are `positive`. The mean and the label are never looked at.
    """

    def __init__(self, snippets: Iterable[Snippet], seed: int) -> None:
        self._waiting: dict[str, list[int]] = {}
        for snippet in snippets:
            self._waiting.setdefault(snippet.text, []).extend(_shuffled(snippet, seed))

    def next_rating(self, text: str) -> Rating | None:
        """The next person's rating of the sentence `text`, or nothing when nobody (else) ever rated it."""
        waiting = self._waiting.get(text)
        if not waiting:
            return None
        value = waiting.pop()
        return Rating(value=value, label=class_of(value))


def _shuffled(snippet: Snippet, seed: int) -> list[int]:
    ratings = list(snippet.ratings)
    Random(f"{seed}:{snippet.key}").shuffle(ratings)  # noqa: S311 - a replay must be the same each time
    return ratings
