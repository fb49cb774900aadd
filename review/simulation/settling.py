"""Decides and settles recorded requests column by column, under one state of flags and one plan of a model. PURE.

Rows that agree in what `decide` looks at are decided once, by `decide` itself; items are settled by the rows of
`settle`'s table, as columns. A test holds both to a call of engine, `decide` and `settle` for each row.

What the gateway knew and an entry does not keep is not guessed: such a row is unknown, under the first that applies.

| unknown for | because |
|---|---|
| `folded` | the entry was too large, and only its head stands in the log |
| `context` | a flag reads a field that was not recorded, or draws at random |
| `age` | the flags were stale, and the proposal lets them grow older |
| `asked` | the entry does not tell whether the caller asked for a person |
| `version` | another version of the model would answer than the one that did |
| `correction` | people's correction answered then, and the model's own answer was not kept |
| `findings` | it was not recorded what else would have held an item |

A halt is not simulated: a request that met one stays as it was. The queue is taken to have room, so that nothing
overflows and no rate of audits is lowered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flags.answer import NOTHING_LOADED, FlagView
from gateway.decide import Question, decide
from gateway.decision import Asked, Decision
from gateway.plan import ModelPlan
from gateway.policy import Policy
from review.simulation.chunk import Chunk, FlagColumn, Flags, Items, Reals, distinct

AUTOMATED, SHADOW, REVIEW = 0, 1, 2
PATHS = ("automated", "shadow", "review")
WHY_UNKNOWN = ("folded", "context", "age", "asked", "version", "correction", "findings")
"""In the order in which they are looked at; 0 is known, n the n-th of these."""
_BEFORE_FLAGS = ("halted", "flags_unknown", "flags_stale")
Codes = NDArray[np.int64]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What the traffic is put under: the plan, when it counts, and how old flags may have been then and may be now."""

    plan: ModelPlan
    now_us: int
    versions: Mapping[str, int]
    """The version of each release by its name."""
    stale_then_s: float
    """The policy's limit when the traffic was recorded: what was stale then was older than this."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each row and of each of its items."""

    path: Codes
    """Of PATHS, by its place; shape (rows,)."""
    rule: Codes
    """Of `rules`, by its place."""
    rules: Sequence[str]
    unknown: Codes
    """0 where it is known, else the place in WHY_UNKNOWN, from 1."""
    held: Flags
    """For each item."""
    audit: Reals
    """For each item the probability of an audit."""

    @property
    def known(self) -> Flags:
        """The rows of which it is known what becomes of them."""
        found: Flags = self.unknown == 0
        return found


class _Case(msgspec.Struct, frozen=True):
    """Rows that are decided alike: the decision, and the rows' place among all distinct ones."""

    decision: Decision
    stale_unknown: bool
    asked_matters: bool


class Settling:
    """Settles chunk after chunk under one side; what was decided once is kept."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._digests = {
            digest
            for (schema, digest), found in side.plan.precedents.items()
            if schema == side.plan.champion.label_schema_sha256 and found.expires_us > side.now_us
        }
        self._rules: list[str] = []
        self._kept: dict[tuple[object, ...], _Case] = {}

    def settle(self, chunk: Chunk, flags: Sequence[FlagColumn]) -> Settled:
        """What becomes of every row of a chunk; `flags` are its three flags under this side, automated first."""
        case, cases = self._decided(chunk, flags)
        unknown = self._unknown(chunk, flags, case, cases)
        decided = [one.decision for one in cases]
        numbers = self._numbers(decided, chunk.items.unfit.values)
        items = _settled_items(chunk.items, case, decided, numbers)
        path, rule = _of_requests(chunk, case, decided, items, numbers)
        unknown = np.where((unknown == 0) & _unlooked(chunk, items), _why("findings"), unknown)
        settled = Settled(path=path, rule=rule, rules=self._rules, unknown=unknown, held=items.held, audit=items.audit)
        return self._as_halted(chunk, settled)

    def _decided(self, chunk: Chunk, flags: Sequence[FlagColumn]) -> tuple[Codes, list[_Case]]:
        """For each row the number of its case, and the cases."""
        corrected = np.array([digest in self._digests for digest in chunk.digest], dtype=np.int64)
        columns = (*(flag.codes for flag in flags), chunk.asked, corrected, chunk.decided_rule.codes)
        first, codes = distinct(columns)
        cases = []
        for row in first.tolist():
            answers = [flag.answers[flag.codes[row]] for flag in flags]
            view = FlagView(automated=answers[0], shadow=answers[1], candidate=answers[2], state="", loaded=True)
            rule = chunk.decided_rule.values[chunk.decided_rule.codes[row]]
            digest = chunk.digest[row] if corrected[row] else ""
            cases.append(self._case(view, rule, int(chunk.asked[row]), digest, bool(corrected[row])))
        return codes, cases

    def _case(self, view: FlagView, rule: str, asked: int, digest: str, corrected: bool) -> _Case:
        key = (view.automated, view.shadow, view.candidate, rule, asked, corrected)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._decide(view, rule, asked, digest)
        return kept

    def _decide(self, view: FlagView, rule: str, asked: int, digest: str) -> _Case:
        side, stale = self._side, rule == "flags_stale"
        question = Question(
            model=side.plan,
            flags=NOTHING_LOADED if rule == "flags_unknown" else view,
            flags_age_s=float("inf") if stale else 0.0,
            asked=Asked(review=asked == 1 or rule == "asked"),
            may_pin=False,
            input_digest=digest,
            now_us=side.now_us,
        )
        decision = decide(question)
        return _Case(
            decision,
            stale and decision.release.policy.stale_after_s > side.stale_then_s,
            asked < 0 and rule in ("automated_off", *_BEFORE_FLAGS) and decision.rule in ("precedent", "automated"),
        )

    def _unknown(self, chunk: Chunk, flags: Sequence[FlagColumn], case: Codes, cases: Sequence[_Case]) -> Codes:
        """Why it is unknown what becomes of a row, as far as that does not hang on its items."""
        stopped = np.isin(chunk.decided_rule.codes, [chunk.decided_rule.code(rule) for rule in _BEFORE_FLAGS])
        unread = ~stopped & ~np.logical_and.reduce([flag.known for flag in flags])
        by_model = np.array([one.decision.by == "model" for one in cases], dtype=np.bool_)[case]
        answering = np.array([one.decision.release.version for one in cases], dtype=np.int64)[case]
        answered = np.array([self._side.versions.get(name, -1) for name in chunk.release.values], dtype=np.int64)
        reasons = {
            "folded": chunk.folded,
            "context": unread,
            "age": np.array([one.stale_unknown for one in cases], dtype=np.bool_)[case],
            "asked": np.array([one.asked_matters for one in cases], dtype=np.bool_)[case],
            "version": by_model & (answering != answered[chunk.release.codes]),
            "correction": by_model & chunk.decided_rule.equals("precedent"),
        }
        found = np.zeros(len(chunk), dtype=np.int64)
        for why in reversed(WHY_UNKNOWN[:-1]):
            found[reasons[why]] = _why(why)
        return found

    def _numbers(self, decided: Sequence[Decision], unfit: Sequence[str]) -> dict[str, int]:
        """The number of each rule that can come out, new ones added."""
        for rule in (*(one.rule for one in decided), "no_score", "below_threshold", *unfit):
            self._number(rule)
        return {rule: number for number, rule in enumerate(self._rules)}

    def _number(self, rule: str) -> int:
        if rule not in self._rules:
            self._rules.append(rule)
        return self._rules.index(rule)

    def _as_halted(self, chunk: Chunk, settled: Settled) -> Settled:
        """The same, but for requests that met a halt: those stay as they were."""
        halted = chunk.decided_rule.equals("halted")
        if not halted.any():
            return settled
        of_item = np.repeat(halted, chunk.items.counts)
        return msgspec.structs.replace(
            settled,
            path=np.where(halted, REVIEW, settled.path),
            rule=np.where(halted, self._number("halted"), settled.rule),
            unknown=np.where(halted & ~chunk.folded, 0, settled.unknown),
            held=np.where(of_item, chunk.items.held, settled.held),
            audit=np.where(of_item, 0.0, settled.audit),
        )


class _Items(msgspec.Struct, frozen=True, kw_only=True):
    held: Flags
    rule: Codes
    audit: Reals
    unlooked: Flags
    """Of which it was not recorded what else would hold them, where that counts."""


def _settled_items(items: Items, case: Codes, decided: Sequence[Decision], numbers: dict[str, int]) -> _Items:
    """Every item held or answered, by the rows of `settle`'s table."""
    of_item = np.repeat(case, items.counts)
    rule = _each(decided, lambda one: numbers[one.rule])[of_item]
    by_model = _each(decided, lambda one: one.path != "review" and one.precedent is None)[of_item].astype(np.bool_)
    by_people = _each(decided, lambda one: one.path == "review" and one.by == "people")[of_item].astype(np.bool_)
    threshold = _thresholds(items, of_item, [one.policy for one in decided])
    by_class = _each(decided, lambda one: bool(one.policy.hold_below_by_class))[of_item].astype(np.bool_)
    unlooked = by_model & ((items.unfit.codes < 0) | (by_class & (items.answer.codes < 0) & items.unfit.equals("")))
    unfit = by_model & _listed(items.unfit, lambda text: text != "")
    wanted = by_model & ~unfit & (threshold > 0.0)
    no_score = wanted & ~items.scored
    below = wanted & items.scored & (items.score < threshold)
    held = by_people | unfit | no_score | below
    named = np.array([numbers[name] for name in items.unfit.values] + [0], dtype=np.int64)
    rule = np.where(unfit, named[items.unfit.codes], rule)
    rule = np.where(no_score, numbers["no_score"], np.where(below, numbers["below_threshold"], rule))
    rate = np.array([0.0 if one.by in ("fallback", "nobody") else one.policy.audit_rate for one in decided])
    return _Items(held=held, rule=rule, audit=np.where(held, 0.0, rate[of_item]), unlooked=unlooked)


def _thresholds(items: Items, of_item: Codes, policies: Sequence[Policy]) -> Reals:
    """The threshold of each item: of its class under its policy, or the general one."""
    table = np.array(
        [
            [policy.hold_below_by_class.get(name, policy.hold_below) for name in (*items.answer.values, "None")]
            for policy in policies
        ]
    ).reshape(len(policies), len(items.answer.values) + 1)
    found: Reals = table[of_item, items.answer.codes]
    return found


def _of_requests(
    chunk: Chunk, case: Codes, decided: Sequence[Decision], items: _Items, numbers: dict[str, int]
) -> tuple[Codes, Codes]:
    """Path and rule of each request: review under the rule of its first held item, else as it was decided."""
    path = _each(decided, lambda one: PATHS.index(one.path))[case]
    rule = _each(decided, lambda one: numbers[one.rule])[case]
    counts = chunk.items.counts
    some = np.flatnonzero(counts > 0)
    if len(items.held) and len(some):
        none = len(items.held)
        place = np.where(items.held, np.arange(none), none)
        first = np.minimum.reduceat(place, chunk.items.first[:-1][some])
        holding = some[first < none]
        path[holding] = REVIEW
        rule[holding] = items.rule[first[first < none]]
    return path, rule


def _unlooked(chunk: Chunk, items: _Items) -> Flags:
    """The rows with an item of which it was not recorded what else would hold it."""
    found = np.zeros(len(chunk), dtype=np.bool_)
    found[chunk.items.row_of()[items.unlooked]] = True
    return found


def _each(decided: Sequence[Decision], of: Any) -> Codes:
    return np.array([of(one) for one in decided], dtype=np.int64)


def _listed(column: Any, wanted: Any) -> Flags:
    """The rows whose text is wanted; one without a text is not."""
    table = np.array([wanted(text) for text in column.values] + [False], dtype=np.bool_)
    found: Flags = table[column.codes]
    return found


def _why(reason: str) -> int:
    return WHY_UNKNOWN.index(reason) + 1
