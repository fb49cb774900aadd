"""What two sides make of the same traffic, counted in parts that add up. PURE.

A count is of what was read; where the traffic was sampled, the report scales it. Counts of one side are by what becomes
of the same requests on the other, so that nothing is compared with a different set.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
import numpy as np

from gateway.times import SECOND_US
from review.simulation.chunk import Chunk, Ints, counted, distinct
from review.simulation.settling import PATHS, WHY_UNKNOWN, Settled

HOUR_US = 3600 * SECOND_US
EXAMPLES = 10
"""How many requests of each kind of change are named."""
CLASSES_MAX = 50
"""Beyond, further classes are counted together."""
OTHERS = "others"
Stratum = Literal["held", "audited"]
Move = tuple[str, str, str, str]
"""Path and rule now, path and rule then."""


class Known(msgspec.Struct, kw_only=True):
    """Items with a known outcome: how many, and sums over their weights 1 / π."""

    n: int = 0
    wrong: int = 0
    weight: float = 0.0
    weight2: float = 0.0
    weighted_wrong: float = 0.0

    def add(self, wrong: bool, weight: float) -> None:
        """Count one item."""
        self.n += 1
        self.wrong += wrong
        self.weight += weight
        self.weight2 += weight * weight
        self.weighted_wrong += weight * wrong


class Hour(msgspec.Struct, kw_only=True):
    """What an hour of the traffic brings: requests, items held, and audits to expect, on each side."""

    requests: int = 0
    held_now: int = 0
    held_then: int = 0
    audits_now: float = 0.0
    audits_then: float = 0.0


class Tally(msgspec.Struct, kw_only=True):
    """The counts of some traffic."""

    read: int = 0
    unknown: dict[str, int] = {}
    moves: dict[Move, int] = {}
    callers: dict[tuple[str, str, str], int] = {}
    """By the caller's key, path now and path then."""
    classes: dict[tuple[str, bool, bool], int] = {}
    """Items by what answered, held now and held then."""
    hours: dict[int, Hour] = {}
    examples: dict[Move, list[tuple[int, str]]] = {}
    """The requests with the smallest random numbers, with these."""
    as_recorded: int = 0
    """Of the requests that were decided under exactly what is in force: those that come out as they were recorded."""
    comparable: int = 0
    differing: dict[Move, int] = {}
    """Of those: as recorded, and as simulated under the same."""
    populations: dict[tuple[Stratum, bool, bool], int] = {}
    """Items by whether they were held when recorded, and are held now and then."""
    known: dict[tuple[Stratum, bool, bool], Known] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunk is counted with."""

    has_classes: bool
    in_force: str
    """The digest of the flag state in force."""
    champion: str
    wrong: Mapping[str, Mapping[int, bool]]
    """By prediction and item: whether the outcome differs from the model's answer."""


def tally_of(chunk: Chunk, random: Ints, now: Settled, then: Settled, context: Context) -> Tally:
    """The counts of a chunk; `random` are the random bits of its predictions' ids."""
    tally = Tally(read=len(chunk))
    unknown = np.where(now.unknown == 0, then.unknown, now.unknown)
    for code, count in counted(unknown):
        if code:
            tally.unknown[WHY_UNKNOWN[code - 1]] = count
    rows = np.flatnonzero(unknown == 0)
    _add_moves(tally, chunk, random, now, then, rows)
    _add_items(tally, chunk, now, then, unknown == 0, context)
    _add_hours(tally, chunk, now, then, unknown == 0)
    _add_recorded(tally, chunk, now, rows, context)
    _add_known(tally, chunk, now, then, unknown == 0, context)
    return tally


def add(total: Tally, more: Tally) -> None:
    """Add the counts of more traffic to a total."""
    total.read += more.read
    total.as_recorded += more.as_recorded
    total.comparable += more.comparable
    for name in ("unknown", "moves", "callers", "classes", "differing", "populations"):
        into = getattr(total, name)
        for key, count in getattr(more, name).items():
            into[key] = into.get(key, 0) + count
    for move, found in more.examples.items():
        total.examples[move] = sorted(total.examples.get(move, []) + found)[:EXAMPLES]
    for hour, brought in more.hours.items():
        _sum(total.hours.setdefault(hour, Hour()), brought)
    for place, known in more.known.items():
        _sum(total.known.setdefault(place, Known()), known)


def _sum(into: Hour | Known, more: Hour | Known) -> None:
    for name in into.__struct_fields__:
        setattr(into, name, getattr(into, name) + getattr(more, name))


def _add_moves(tally: Tally, chunk: Chunk, random: Ints, now: Settled, then: Settled, rows: Ints) -> None:
    size = len(then.rules)
    key = ((now.path * len(now.rules) + now.rule) * len(PATHS) + then.path) * size + then.rule
    for code, count in counted(key[rows]):
        rest, rule_then = divmod(code, size)
        rest, path_then = divmod(rest, len(PATHS))
        path_now, rule_now = divmod(rest, len(now.rules))
        move = (PATHS[path_now], now.rules[rule_now], PATHS[path_then], then.rules[rule_then])
        tally.moves[move] = count
        if move[0] != move[2]:
            of_move = rows[key[rows] == code]
            first = of_move[np.argsort(random[of_move], kind="stable")[:EXAMPLES]]
            tally.examples[move] = [(int(random[row]), chunk.prediction[row]) for row in first.tolist()]
    for caller, before, after, count in _grouped(chunk.caller.codes[rows], now.path[rows], then.path[rows]):
        tally.callers[chunk.caller.values[caller], PATHS[before], PATHS[after]] = count


def _add_items(tally: Tally, chunk: Chunk, now: Settled, then: Settled, known: np.ndarray, context: Context) -> None:
    items = chunk.items
    kept = np.repeat(known, items.counts)
    fate = now.held * 2 + then.held
    for code, count in counted((items.held * 4 + fate)[kept]):
        stratum: Stratum = "held" if code & 4 else "audited"
        tally.populations[stratum, bool(code & 2), bool(code & 1)] = count
    if not context.has_classes:
        return
    for code, count in counted(((items.answer.codes + 1) * 4 + fate)[kept]):
        name = items.answer.values[code // 4 - 1] if code >= 4 else ""
        key = (name, bool(code & 2), bool(code & 1))
        tally.classes[key] = tally.classes.get(key, 0) + count


def _add_hours(tally: Tally, chunk: Chunk, now: Settled, then: Settled, known: np.ndarray) -> None:
    of_hour = chunk.at_us // HOUR_US
    first, of_row = distinct([of_hour])
    hours = of_hour[first]
    of_item, size = np.repeat(of_row, chunk.items.counts), len(hours)
    kept = np.repeat(known, chunk.items.counts).astype(float)
    requests = np.bincount(of_row, weights=known.astype(float), minlength=size)
    sums = [
        np.bincount(of_item, weights=kept * values, minlength=size)
        for values in (now.held, then.held, now.audit, then.audit)
    ]
    for place, hour in enumerate(hours.tolist()):
        tally.hours[hour] = Hour(
            requests=int(requests[place]), held_now=int(sums[0][place]), held_then=int(sums[1][place]),
            audits_now=float(sums[2][place]), audits_then=float(sums[3][place]),
        )  # fmt: skip


def _add_recorded(tally: Tally, chunk: Chunk, now: Settled, rows: Ints, context: Context) -> None:
    """How the requests that were decided under what is in force come out, beside how they did."""
    same = (chunk.state.equals(context.in_force) & chunk.release.equals(context.champion))[rows]
    of_same = rows[same]
    tally.comparable = len(of_same)
    for row_path, row_rule, path, rule, count in _grouped(
        chunk.path.codes[of_same], chunk.rule.codes[of_same], now.path[of_same], now.rule[of_same]
    ):
        recorded = chunk.path.values[row_path], chunk.rule.values[row_rule]
        simulated = PATHS[path], now.rules[rule]
        if recorded == simulated:
            tally.as_recorded += count
        else:
            tally.differing[(*recorded, *simulated)] = count


def _add_known(tally: Tally, chunk: Chunk, now: Settled, then: Settled, known: np.ndarray, context: Context) -> None:
    items, wrong_items = chunk.items, context.wrong
    for row in [row for row, prediction in enumerate(chunk.prediction) if prediction in wrong_items and known[row]]:
        first = int(items.first[row])
        for item, wrong in wrong_items[chunk.prediction[row]].items():
            place = first + item - 1
            if place >= items.first[row + 1]:
                continue
            held, probability = bool(items.held[place]), float(items.audit_probability[place])
            if not held and probability == 0.0:
                continue
            stratum: Stratum = "held" if held else "audited"
            key = (stratum, bool(now.held[place]), bool(then.held[place]))
            tally.known.setdefault(key, Known()).add(wrong, 1.0 if held else 1.0 / probability)


def _grouped(*columns: Ints) -> Iterable[tuple[int, ...]]:
    """Each distinct tuple of the columns, with how often it occurs."""
    if not len(columns[0]):
        return []
    first, numbers = distinct(columns)
    of_each = zip(*(column[first].tolist() for column in columns), strict=True)
    return [(*key, count) for key, (_, count) in zip(of_each, counted(numbers), strict=True)]
