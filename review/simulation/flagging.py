"""The three flags of a model over columns of recorded decisions, as the engine answers them.

A flag that reads nothing is asked once; any other once for each distinct tuple of the fields that it reads and of its
place among the moments that it names. Of a field that only draws a rollout the place from 1 to 100 stands in the tuple,
so that a million requests cost the engine a hundred questions. A field that the entry does not keep makes the row
unknown, and so does a flag that draws at random: nothing is guessed.

| field | known from |
|---|---|
| `tenant`, `caller`, `model`, `appName`, `environment` | the entry itself |
| `userId` | the context, or the key that assignments stick to, where that is a user |
| `sessionId` | the same of a session; else the user, else the input's digest, as the gateway has it |
| any other | the context |

What the caller had not told is absent, and known to be; what was told and is among the entry's `unread` is not known.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from flags.answer import NOT_LOADED, FlagAnswer
from flags.buckets import places
from flags.context import APP_NAME, encoded_values
from flags.folding import FoldedFlags, fold
from flags.names import of_model
from flags.reading import Reads, Rollout
from review.simulation.chunk import Chunk, FlagColumn, Flags, Ints
from review.simulation.rolling import rollouts_in

ENVIRONMENT = "production"
MILLISECOND_US = 1000
Column = Sequence[str | None]
Key = tuple[str | int | None, ...]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Whose flags: the tenant and the model."""

    tenant: str
    model: str


class ModelFlags(msgspec.Struct, frozen=True):
    """The flags of a state, and the rollouts that draw by fields which count for nothing else."""

    folded: FoldedFlags
    rollouts: Mapping[str, tuple[Rollout, ...]]

    @classmethod
    def of(cls, body: bytes, model: str) -> "ModelFlags":
        """The flags in a state's JSON. Raises: NotAFeatureState."""
        return cls(fold(body), rollouts_in(body, model))

    def columns(self, chunk: Chunk, where: Where) -> tuple[FlagColumn, ...]:
        """The model's three flags over a chunk, automated first."""
        return tuple(
            _flag_column(self.folded, name, chunk, where, self.rollouts.get(name, ()))
            for name in of_model(where.model).all()
        )

    def fields(self, model: str) -> frozenset[str]:
        """The fields of the context that the model's flags read, and those that may stand in for them."""
        read = fields_read(self.folded, model)
        return read | {"userId"} if "sessionId" in read else read


def fields_read(flags: FoldedFlags, model: str) -> frozenset[str]:
    """The fields of the context that the model's flags read."""
    return frozenset(field for flag in of_model(model).all() for field in flags.reads(flag).fields)


def _flag_column(
    flags: FoldedFlags, name: str, chunk: Chunk, where: Where, rollouts: tuple[Rollout, ...]
) -> FlagColumn:
    reads, size = flags.reads(name), len(chunk)
    if reads.chance:
        return FlagColumn((NOT_LOADED,), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_))
    if reads.nothing:
        answer = next(flags.ask(name, [encoded_values({"sessionId": "nobody"})]))
        return FlagColumn((answer,), np.zeros(size, dtype=np.int64), np.ones(size, dtype=np.bool_))
    columns: dict[str, Column] = {}
    there: dict[str, Flags] = {}
    for field in reads.fields:
        columns[field], there[field] = _field(field, chunk, where)
    known = np.ones(size, dtype=np.bool_) & _known(reads, rollouts, columns, there)
    first, codes = _numbered(columns, reads, rollouts, chunk)
    given = flags.ask(name, _contexts(first, columns, chunk.evaluated_us if reads.moments else None))
    answers, answer_codes = _distinct(given)
    return FlagColumn(answers, answer_codes[codes], known)


def _known(
    reads: Reads, rollouts: tuple[Rollout, ...], columns: Mapping[str, Column], there: Mapping[str, Flags]
) -> Flags:
    """The rows of which everything that counts is known: of a rollout's fields the first that is there."""
    drawn = {field for rollout in rollouts for field in rollout.fields}
    known: Flags = np.ones(1, dtype=np.bool_)
    for field in reads.fields:
        known = known if field in drawn else known & there[field]
    for rollout in rollouts:
        of_rollout: Flags = np.ones(1, dtype=np.bool_)
        for field in reversed(rollout.fields):
            has = np.array([value is not None for value in columns[field]], dtype=np.bool_)
            of_rollout = there[field] & (has | of_rollout)
        known = known & of_rollout
    return known


def _field(name: str, chunk: Chunk, where: Where) -> tuple[Column, Flags]:
    """A field of the context in each row, and whether it is known there."""
    size = len(chunk)
    fixed = {"tenant": where.tenant, "model": where.model, "appName": APP_NAME, "environment": ENVIRONMENT}
    everywhere = np.ones(size, dtype=np.bool_)
    if name in fixed:
        return [fixed[name]] * size, everywhere
    if name == "caller":
        return [chunk.caller.values[code] for code in chunk.caller.codes.tolist()], everywhere
    if name == "sessionId":
        return _session(chunk)
    return _told(name, chunk)


def _session(chunk: Chunk) -> tuple[Column, Flags]:
    """The session that the engine sees: never empty."""
    (session, known), (user, user_known) = _told("sessionId", chunk), _told("userId", chunk)
    found = [one or other or digest for one, other, digest in zip(session, user, chunk.digest, strict=True)]
    has_session = np.array([one is not None for one in session], dtype=np.bool_)
    return found, known & (has_session | user_known)


def _told(name: str, chunk: Chunk) -> tuple[Column, Flags]:
    """What the caller told of itself under this name, and whether that is known."""
    stuck = chunk.sticky_field.equals(name)
    unread = chunk.unread.get(name)
    known = np.ones(len(chunk), dtype=np.bool_) if unread is None else ~unread | stuck
    column = list(chunk.context.get(name, ())) or [None] * len(chunk)
    for row in np.flatnonzero(stuck).tolist():
        column[row] = chunk.sticky[row]
    return column, known


def _numbered(
    columns: Mapping[str, Column], reads: Reads, rollouts: tuple[Rollout, ...], chunk: Chunk
) -> tuple[list[int], Ints]:
    """The row in which each distinct tuple was met first, and for each row the number of its tuple."""
    drawn = {field for rollout in rollouts for field in rollout.fields}
    parts: list[Sequence[str | int | None]] = [columns[field] for field in reads.fields if field not in drawn]
    parts += [_places_in(rollout, columns) for rollout in rollouts]
    parts += _places(reads, chunk.evaluated_us)
    distinct: dict[Key, int] = {}
    first: list[int] = []
    codes = np.empty(len(chunk), dtype=np.int64)
    for row, key in enumerate(zip(*parts, strict=True)):
        code = distinct.get(key)
        if code is None:
            code = distinct[key] = len(distinct)
            first.append(row)
        codes[row] = code
    return first, codes


def _places_in(rollout: Rollout, columns: Mapping[str, Column]) -> list[int]:
    """The place of each row in a rollout, by the first of its fields that is there; 0 where none is."""
    several = [columns[field] for field in rollout.fields]
    values = several[0]
    for further in several[1:]:
        values = [value if value is not None else other for value, other in zip(values, further, strict=True)]
    found: list[int] = places(rollout.group, values).tolist()
    return found


def _places(reads: Reads, evaluated_us: Ints) -> tuple[list[int], ...]:
    """Where each row is among the moments that the flag names; nothing where it names none."""
    if not reads.moments:
        return ()
    told = (evaluated_us - evaluated_us % MILLISECOND_US).tolist()
    return ([bisect_left(reads.moments, at) + bisect_right(reads.moments, at) for at in told],)


def _contexts(rows: Sequence[int], columns: Mapping[str, Column], evaluated_us: Ints | None) -> Iterator[bytes]:
    """The context of each of these rows, with its clock where that counts."""
    for row in rows:
        found = {name: value for name, column in columns.items() if (value := column[row]) is not None}
        yield encoded_values(found, None if evaluated_us is None else int(evaluated_us[row]))


def _distinct(given: Iterator[FlagAnswer]) -> tuple[list[FlagAnswer], Ints]:
    """The distinct answers, and for each one given its number; equal ones of one flag are mostly one object."""
    answers: list[FlagAnswer] = []
    numbers: dict[int, int] = {}
    codes = []
    for answer in given:
        code = numbers.get(id(answer))
        if code is None:
            code = answers.index(answer) if answer in answers else len(answers)
            if code == len(answers):
                answers.append(answer)
            numbers[id(answer)] = code
        codes.append(code)
    return answers, np.array(codes, dtype=np.int64)
