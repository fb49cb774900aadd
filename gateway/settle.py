"""Settles each item of a run: hold it for a person or answer it, and draw it for audit. Pure: draws are arguments.

An item of a request that people answer is held under the decision's rule; where the fallback or nobody answers, nothing
is held or audited. Otherwise the first row that holds wins:

| rule | when | held |
|---|---|---|
| `not_finite` | some number of the item's outputs is NaN or infinite, where the card does not allow it | yes |
| `unknown_answer` | the answer is none of the label schema | yes |
| `outside_envelope` | an input lies outside its range in training | yes |
| `field_rule:NAME` | a declared comparison on an input is true | yes |
| `no_score` | a threshold is declared and the item has no score | yes |
| `below_threshold` | its score is below the threshold of its class, or the general one | yes |
| the decision's rule | otherwise | no |

Where too many holds are open or too many callers wait (`full`), held items are not held: the rule is `queue_full`, the
policy's overflow answers, and each becomes a case with the probability `overflow_sample`. After a halt or without
trustworthy flags the overflow is a refusal, whatever the policy says: no crowd can skip the person.

An item that is not held is audited if its draw, uniform in [0, 1), is below its probability. Both are recorded.
"""

from collections.abc import Sequence
from math import isfinite

import msgspec
import numpy as np

from gateway.answers import Tensors, answers_of, finite_items, judged_outputs, rows_of, scores_of
from gateway.decision import Decision, Overflow, Settled, SettledItem
from gateway.labels import Answer
from gateway.policy import Envelope, FieldRule, Policy
from gateway.registry.card import Card

NEVER_SKIPPED = frozenset({"halted", "flags_unknown", "flags_stale"})
Evidence = dict[str, float | str]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a release made of a request: its tensors, and one draw an item."""

    inputs: Tensors
    outputs: Tensors
    items: int
    draws: Sequence[float]
    """Uniform in [0, 1), one an item."""
    pressed: bool = False
    """Whether the queue is so full that fewer answers are audited."""
    full: bool = False
    """Whether nothing more can be held."""


class _Finding(msgspec.Struct, frozen=True):
    rule: str
    evidence: Evidence
    held: bool
    unfit: str | None = ""


def settle(decision: Decision, run: Run) -> Settled:
    """The prediction with every item held or answered, and drawn for audit."""
    card, policy = decision.release.card, decision.policy
    answers = answers_of(card, run.outputs, run.items)
    if decision.precedent is not None:
        answers = [decision.precedent.answer] * run.items
    scores = scores_of(card, run.outputs, answers)
    findings = _findings(decision, run, answers, scores)
    overflow = _overflow(decision) if run.full and any(finding.held for finding in findings) else None
    rate = _audit_rate(decision, run)
    items = tuple(
        _item(index, finding, answers[index], scores[index], run.draws[index], overflow, rate, policy)
        for index, finding in enumerate(findings)
    )
    return _settled(decision, items, overflow)


def _settled(decision: Decision, items: tuple[SettledItem, ...], overflow: Overflow | None) -> Settled:
    """The whole: its path is review as soon as one item is held, under that item's rule."""
    if overflow is not None:
        return Settled(path="review", rule="queue_full", items=items, overflow=overflow)
    first = next((item for item in items if item.held), None)
    if first is None:
        return Settled(path=decision.path, rule=decision.rule, items=items)
    return Settled(path="review", rule=first.rule, items=items)


def _item(
    index: int,
    finding: _Finding,
    answer: Answer | None,
    score: float | None,
    draw: float,
    overflow: Overflow | None,
    audit_rate: float,
    policy: Policy,
) -> SettledItem:
    overflowed = finding.held and overflow is not None
    held = finding.held and not overflowed
    return SettledItem(
        item=index + 1,
        held=held,
        rule="queue_full" if overflowed else finding.rule,
        evidence=finding.evidence,
        answer=answer,
        score=score,
        audit_probability=0.0 if held else policy.overflow_sample if overflowed else audit_rate,
        audit_draw=draw,
        unfit=finding.unfit,
    )


def _audit_rate(decision: Decision, run: Run) -> float:
    """The probability with which an answer of the model is audited; what the model did not say is not."""
    if decision.by in ("fallback", "nobody"):
        return 0.0
    return decision.policy.audit_rate_under_pressure if run.pressed else decision.policy.audit_rate


def _overflow(decision: Decision) -> Overflow:
    return "refuse" if decision.rule in NEVER_SKIPPED else decision.policy.overflow


def _findings(decision: Decision, run: Run, answers: list[Answer | None], scores: list[float | None]) -> list[_Finding]:
    """One finding an item, by the table above; people's requests are looked through, too, for what else would hold."""
    if decision.precedent is not None:
        return [_Finding(decision.rule, {}, False, None)] * run.items
    unfit = _unfit(decision, run, answers)
    if decision.path == "review":
        by_people = decision.by == "people"
        return [
            _Finding(decision.rule, score_evidence(score), by_people, found.rule if found else "")
            for found, score in zip(unfit, scores, strict=True)
        ]
    return [
        found
        or (answer is not None and _below_threshold(decision.policy, answer, score))
        or _Finding(decision.rule, score_evidence(score), False)
        for found, answer, score in zip(unfit, answers, scores, strict=True)
    ]


def _unfit(decision: Decision, run: Run, answers: list[Answer | None]) -> list[_Finding | None]:
    """For each item what holds it whatever its score, if anything does."""
    card = decision.release.card
    finite = finite_items(judged_outputs(card.answer, run.outputs), run.items, card.batch_axis)
    watched = _watched(card, decision.policy, run)
    return [
        _unfit_item(decision.policy, sound, answer, {name: rows[index] for name, rows in watched.items()})
        for index, (sound, answer) in enumerate(zip(finite, answers, strict=True))
    ]


def _unfit_item(policy: Policy, finite: bool, answer: Answer | None, inputs: Tensors) -> _Finding | None:
    if not finite:
        return _Finding("not_finite", {}, True, "not_finite")
    if answer is None:
        return _Finding("unknown_answer", {}, True, "unknown_answer")
    return _outside_envelope(policy, inputs) or _field_rule(policy, inputs)


def _watched(card: Card, policy: Policy, run: Run) -> dict[str, list[np.ndarray]]:
    """The rows of the inputs that the policy looks at."""
    names = set(policy.envelope) | {rule.input for rule in policy.field_rules}
    return {name: rows_of(run.inputs[name], run.items, card.batch_axis) for name in names if name in run.inputs}


def _outside_envelope(policy: Policy, inputs: Tensors) -> _Finding | None:
    for name, envelope in policy.envelope.items():
        if name in inputs and (bound := _beyond(envelope, inputs[name])):
            return _Finding("outside_envelope", {"input": name, **bound}, True, "outside_envelope")
    return None


def _beyond(envelope: Envelope, row: np.ndarray) -> Evidence:
    """The value that lies outside and the bound that it breaks; empty when all lie inside. NaN lies outside."""
    if row.size == 0 or row.dtype.kind not in "iuf":
        return {}
    low, high = float(np.min(row)), float(np.max(row))
    if envelope.minimum is not None and not low >= envelope.minimum:
        return {"value": _shown(low), "minimum": envelope.minimum}
    if envelope.maximum is not None and not high <= envelope.maximum:
        return {"value": _shown(high), "maximum": envelope.maximum}
    return {}


def _shown(value: float) -> float | str:
    """The number as evidence; what is not finite as a text, for no ledger takes it as a number."""
    return value if isfinite(value) else str(value)


def _field_rule(policy: Policy, inputs: Tensors) -> _Finding | None:
    for rule in policy.field_rules:
        if rule.input not in inputs or inputs[rule.input].size == 0:
            continue
        value = inputs[rule.input].ravel()[0]
        if _compares(rule, value):
            shown = value if isinstance(value, str) else _shown(float(value))
            name = f"field_rule:{rule.name}"
            return _Finding(name, {"input": rule.input, "value": shown, "limit": rule.value}, True, name)
    return None


def _compares(rule: FieldRule, value: object) -> bool:
    """Whether `value OP rule.value` is true; values of different kinds are only ever unequal."""
    left: float | str = value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    right = rule.value if isinstance(rule.value, str) else float(rule.value)
    if isinstance(left, str) != isinstance(right, str):
        return rule.op == "!="
    match rule.op:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right  # type: ignore[operator]
        case "<=":
            return left <= right  # type: ignore[operator]
        case ">":
            return left > right  # type: ignore[operator]
        case ">=":
            return left >= right  # type: ignore[operator]


def _below_threshold(policy: Policy, answer: Answer, score: float | None) -> _Finding | None:
    threshold = policy.hold_below_by_class.get(str(answer), policy.hold_below)
    if threshold == 0.0:
        return None
    if score is None:
        return _Finding("no_score", {"hold_below": threshold}, True)
    if score < threshold:
        return _Finding("below_threshold", {"score": score, "hold_below": threshold}, True)
    return None


def score_evidence(score: float | None) -> Evidence:
    """What is said of an item that no rule holds."""
    return {} if score is None else {"score": _shown(score)}
