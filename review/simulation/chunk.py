"""Recorded decisions as columns: what an entry of the traffic log keeps, some ten thousand rows at a time. PURE."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from flags.answer import FlagAnswer

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
UNKNOWN = -1


SMALL = 1 << 20
"""Below so many distinct codes counting them is faster than sorting."""


def counted(codes: Ints) -> list[tuple[int, int]]:
    """Each code that occurs, none below 0, with how often it does."""
    if not len(codes):
        return []
    if int(codes.max()) < SMALL:
        counts = np.bincount(codes)
        found = np.flatnonzero(counts)
        return list(zip(found.tolist(), counts[found].tolist(), strict=True))
    found, counts = np.unique(codes, return_counts=True)
    return list(zip(found.tolist(), counts.tolist(), strict=True))


def combined(columns: Sequence[Ints]) -> Ints:
    """One code a row, equal for rows that agree in every column, none below 0."""
    found = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        low, high = int(column.min()), int(column.max())
        found = found * (high - low + 1) + (column - low)
    return found


def distinct(columns: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Where each distinct tuple of the columns stands first, and for each row the number of its tuple."""
    codes = combined(columns)
    if int(codes.max()) >= SMALL:
        _, first, numbers = np.unique(codes, return_index=True, return_inverse=True)
        return first, numbers
    first_of = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    first_of[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    there = np.flatnonzero(first_of >= 0)
    number = np.zeros(len(first_of), dtype=np.int64)
    number[there] = np.arange(len(there))
    return first_of[there], number[codes]


class Coded(msgspec.Struct, frozen=True):
    """A column of texts: each distinct one once, and for each row its number, -1 where it has none."""

    values: Sequence[str]
    codes: Ints

    def code(self, value: str) -> int:
        """The number of a text; one that no row has where it does not occur."""
        return self.values.index(value) if value in self.values else len(self.values)

    def equals(self, value: str) -> Flags:
        """The rows that have this text."""
        found: Flags = self.codes == self.code(value)
        return found


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """The items of all rows, one after the other."""

    first: Ints
    """For each row the place of its first item, and the number of all items at the end; shape (rows + 1,)."""
    score: Reals
    """NaN also where there is none."""
    scored: Flags
    answer: Coded
    unfit: Coded
    """The rule that holds an item whatever its score: empty for none, -1 where nobody looked."""
    held: Flags
    audit_probability: Reals

    @property
    def counts(self) -> Ints:
        """How many items each row has."""
        return np.diff(self.first)

    def row_of(self) -> Ints:
        """For each item its row."""
        return np.repeat(np.arange(len(self.first) - 1), self.counts)


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Some recorded decisions of one tenant and model."""

    prediction: Sequence[str]
    at_us: Ints
    evaluated_us: Ints
    release: Coded
    decided_rule: Coded
    path: Coded
    rule: Coded
    state: Coded
    """The digest of the flag state that decided; -1 while none was loaded."""
    caller: Coded
    asked: Ints
    """1 where the caller asked for a person, 0 where not, -1 where the entry does not tell."""
    digest: Sequence[str]
    sticky: Sequence[str | None]
    """The key that assignments stick to by default: the user, else the session, else the input's digest."""
    sticky_field: Coded
    """Which of these it is: `userId`, `sessionId` or empty."""
    context: Mapping[str, Sequence[str | None]]
    """The fields of the context that were recorded, among those that were asked for."""
    unread: Mapping[str, Flags]
    """The rows in which the caller told a field that no flag read then, so that its value was not kept."""
    folded: Flags
    items: Items

    def __len__(self) -> int:
        return len(self.at_us)


class FlagColumn(msgspec.Struct, frozen=True):
    """One flag: its distinct answers, for each row the number of its answer, and whether that is known."""

    answers: Sequence[FlagAnswer]
    codes: Ints
    known: Flags
