"""3,708 sentences from Amazon reviews, each rated by twenty people from −4 to 4 (Hutto and Gilbert, ICWSM 2014).

The twenty columns are not twenty persons: who gave the first rating of one sentence need not have given the first of
the next. Only the set of ratings of a sentence means anything.
"""

from pathlib import Path

import msgspec

from demo.data.archive import read_members
from demo.data.split import is_held_out
from demo.errors import DataUnreadable

TEXTS = "amazonReviewSnippets_GroundTruth.txt"
RATINGS = "amazonReviewSnippets_anonDataRatings.txt"
HELD_OUT_SHARE = 1 / 3
RATING_MAX = 4

CLASSES = ("negative", "neutral", "positive")
CUT = 0.5


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of a review with what each of twenty people said of it, −4 (worst) to 4 (best)."""

    key: str
    review: str
    text: str
    ratings: tuple[int, ...]

    @property
    def mean(self) -> float:
        """The mean rating, −4 to 4."""
        return sum(self.ratings) / len(self.ratings)

    @property
    def label(self) -> str:
        """The class of the mean rating, which is the truth of the data set."""
        return class_of(self.mean)


class SnippetSplit(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences to learn from, and sentences that the model has never seen."""

    train: tuple[Snippet, ...]
    held_out: tuple[Snippet, ...]


def class_of(rating: float) -> str:
    """`negative` up to −0.5, `positive` from 0.5, `neutral` between; a single (whole) rating so goes by its sign."""
    if rating <= -CUT:
        return CLASSES[0]
    return CLASSES[2] if rating >= CUT else CLASSES[1]


def load_snippets(archive: Path) -> tuple[Snippet, ...]:
    """All sentences of the archive in the order of its text file; raises `DataUnreadable` when the files disagree."""
    texts, ratings = (content.decode("utf-8-sig") for content in read_members(archive, (TEXTS, RATINGS)))
    return parse_snippets(texts, ratings)


def parse_snippets(texts: str, ratings: str) -> tuple[Snippet, ...]:
    """One snippet a line of `texts` (id, mean, text), joined by id with `ratings` (id, mean, deviation, [ratings]).

    The two files are not in the same order, so they are never read side by side.
    """
    rated = {row[0]: _rating_list(row) for row in _rows(ratings, 4, RATINGS)}
    return tuple(_snippet(row, rated) for row in _rows(texts, 3, TEXTS))


def split_snippets(snippets: tuple[Snippet, ...]) -> SnippetSplit:
    """Whole reviews on either side; a held-out sentence whose words also occur in training is dropped."""
    kept = [snippet for snippet in snippets if not _is_held_out(snippet)]
    known = {_words(snippet) for snippet in kept}
    unseen = [snippet for snippet in snippets if _is_held_out(snippet) and _words(snippet) not in known]
    return SnippetSplit(train=tuple(kept), held_out=tuple(unseen))


def _is_held_out(snippet: Snippet) -> bool:
    # Sentences of one review share its product and its author's manner, so a review is never torn apart.
    return is_held_out("reviews", snippet.review, HELD_OUT_SHARE)


def _words(snippet: Snippet) -> str:
    return " ".join(snippet.text.casefold().split())


def _rows(content: str, width: int, part: str) -> list[list[str]]:
    rows = [line.split("\t") for line in content.splitlines() if line.strip()]
    if not all(len(row) == width for row in rows):
        raise DataUnreadable(part=part, problem=f"a line does not have {width} fields")
    return rows


def _rating_list(row: list[str]) -> tuple[int, ...]:
    try:
        ratings = msgspec.json.decode(row[3], type=tuple[int, ...])
    except msgspec.DecodeError as error:
        raise DataUnreadable(part=RATINGS, problem=f"the ratings of {row[0]} are no list of whole numbers") from error
    if not ratings or max(map(abs, ratings)) > RATING_MAX:
        raise DataUnreadable(part=RATINGS, problem=f"a rating of {row[0]} is not between −4 and 4")
    return ratings


def _snippet(row: list[str], rated: dict[str, tuple[int, ...]]) -> Snippet:
    key, _, text = row
    if key not in rated:
        raise DataUnreadable(part=RATINGS, problem=f"sentence {key} has no ratings")
    return Snippet(key=key, review=key.partition("_")[0], text=text, ratings=rated[key])
