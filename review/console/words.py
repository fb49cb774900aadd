"""What the console says in words: times, numbers, and why a case is before people. Pure.

Every rule has a sentence with its numbers; a blind case gets the sentence without the numbers that would give the
model's answer away.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from gateway.holding.ranking import TRUTH_PREFIX
from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy
from gateway.times import SECOND_US, iso
from review.timeline.told import HALTS

Evidence = Mapping[str, float | str]

CASE_KINDS = {
    "hold": "held answer",
    "audit": "random check",
    "disagreement": "two releases differ",
    "report": "reported answer",
    "drift": "drift check",
}
CASE_STATES = {
    "open": "waits in line",
    "claimed": "in somebody's hands",
    "partial": "needs another person",
    "adjudicating": "waits for a lead",
    "settled": "settled",
    "expired": "expired: nobody judged it in time",
    "closed": "closed",
}
VERDICTS = {
    "approve": "approved",
    "correct": "corrected",
    "unanswerable": "no answer is right",
    "cannot_tell": "could not tell",
    "escalate": "escalated to a lead",
}
DELIVERIES = {
    "answer": "the answer",
    "provisional": "the model's own answer, as provisional",
    "fallback": "the declared safe value",
    "refusal": "that there is no answer",
    "held": "that it is held",
}
PATHS = {
    "automated": "answered by the model",
    "shadow": "answered by the model, with a shadow run",
    "review": "put before a person",
}
SOURCES = {"people": "people", "adjudication": "a lead"}


def number(value: float) -> str:
    """A number as people write it: no exponent where it can be avoided, at most four digits behind the point."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """A probability with two digits, such as 0.41."""
    return f"{value:.2f}" if value >= 0.005 or value == 0 else f"{value:.2g}"


def percent(part: float, whole: float) -> str:
    """A share of a whole in per cent; a dash where there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def mib(size: int) -> str:
    """A number of bytes in MiB, rounded up."""
    return f"{-(-size // (1 << 20))} MiB"


def duration(seconds: float) -> str:
    """A length of time in the unit that fits: 31 ms, 38 s, 12 min, 1.5 h, 2 days."""
    seconds = abs(seconds)
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for limit, size, unit in ((90, 1, "s"), (3570, 60, "min")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    size, unit = (3600, "h") if seconds < 172_800 else (86_400, "days")
    return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"


def ago(moment_us: int, now_us: int) -> str:
    """How long ago a moment was, or in what time it will be."""
    seconds = (now_us - moment_us) / SECOND_US
    if 0 <= seconds < 2:
        return "just now"
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(seconds)}"


def moment(moment_us: int) -> str:
    """A moment to the second, in UTC, as pages say that give times."""
    return iso(moment_us)[:19].replace("T", " ")


def who(by: str) -> str:
    """The author of an event without the kind: `person:ada@example.org` is ada@example.org."""
    kind, _, name = by.partition(":")
    return name if kind == "person" and name else f"key {name}" if kind == "key" and name else by


def source(name: str) -> str:
    """Who an outcome comes from; a ground truth by the name of its source."""
    return SOURCES.get(name, f"the source “{name.removeprefix(TRUTH_PREFIX)}”")


def answer(value: Answer | None, schema: LabelSchema | None = None) -> str:
    """An answer as people see it: a choice by its title, a number with its unit."""
    if value is None:
        return "no answer"
    if isinstance(value, str):
        titles = {choice.value: choice.shown for choice in schema.choices} if schema is not None else {}
        return titles.get(value, value)
    unit = f" {schema.unit}" if schema is not None and schema.unit else ""
    return number(value) + unit


def why(rule: str, evidence: Evidence, policy: Policy, *, blind: bool = False) -> str:
    """Why an item was held, in a sentence with the rule's numbers."""
    name, _, detail = rule.partition(":")
    if name == "field_rule":
        return _field_rule(detail, evidence, policy)
    if name == "outside_envelope":
        return _outside(evidence)
    if name == "below_threshold" and not blind and {"score", "hold_below"} <= evidence.keys():
        return f"Confidence {_share(evidence['score'])}, held below {_share(evidence['hold_below'])}."
    return _SENTENCES.get(name, f"The rule “{rule}” applied.")


_SENTENCES = {
    "halted": "The model is halted: every request waits for a person.",
    "flags_unknown": "No flags were ever loaded, so nothing goes out without a person.",
    "flags_stale": "The flags are too old to be trusted, so nothing goes out without a person.",
    "automated_off": "Automatic answers are switched off for this request.",
    "asked": "The caller asked for a person.",
    "precedent": "People corrected an identical input before.",
    "automated": "The model answered by itself.",
    "below_threshold": "The model is not confident enough.",
    "no_score": "The model gives no confidence for this answer.",
    "not_finite": "The model's output is not a finite number.",
    "unknown_answer": "The model's answer is none of the declared ones.",
    "queue_full": "Too many requests were waiting for people.",
}


def why_case(
    kind: str, rule: str, evidence: Evidence, policy: Policy, *, probability: float | None = None, blind: bool = False
) -> str:
    """Why a case is before people, for every kind of case."""
    if kind == "audit":
        chance = f", drawn with probability {share(probability)}" if probability is not None else ""
        return f"A random check of an answer that went out{chance}."
    if rule == "truth_conflict":
        return _conflict(evidence, blind=blind)
    if kind == "report":
        told = str(evidence.get("reason", "")).strip()
        return f"Somebody reported the answer as wrong{f': “{told}”' if told else ''}."
    if kind == "disagreement":
        return "Two releases of the model answer this item differently; which one is which is not told."
    if kind == "drift":
        return "The input looks unlike the training data."
    return why(rule, evidence, policy, blind=blind)


def _conflict(evidence: Evidence, *, blind: bool) -> str:
    """Both answers, unless one of them might be the model's that a blind reviewer must not see."""
    if blind:
        return "A service learned that what people said was wrong; who is right?"
    learned, people = _value(evidence.get("truth", "")), _value(evidence.get("people", ""))
    by = "a lead" if evidence.get("people_source") == "adjudication" else "people"
    return f"The source “{evidence.get('truth_source', '')}” says {learned}; {by} said {people}. Who is right?"


def _field_rule(name: str, evidence: Evidence, policy: Policy) -> str:
    rule = next((rule for rule in policy.field_rules if rule.name == name), None)
    value = evidence.get("value")
    found = f": {evidence.get('input', '')} is {_value(value)}" if value is not None else ""
    limit = f", held when {rule.op} {_value(rule.value)}" if rule is not None else ""
    return f"The rule “{name}” applies{found}{limit}."


def _outside(evidence: Evidence) -> str:
    if "value" not in evidence:
        return "An input lies outside the range it had in training."
    side, bound = ("at least", evidence["minimum"]) if "minimum" in evidence else ("at most", evidence.get("maximum"))
    name = evidence.get("input", "An input")
    return f"{name} is {_value(evidence['value'])}; in training it was {side} {_value(bound)}."


def _value(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else f"“{value}”"


def _share(value: float | str) -> str:
    return share(float(value))


def release_address(name: str) -> str:
    """The address of a release's page: `sentiment@7` is below its model."""
    model, _, release = name.partition("@")
    return f"/console/models/{model}/releases/{release}"


def with_releases(said: str, model: str) -> Markup:
    """The sentence with each release of the model that it names as a link to its page."""
    parts = re.split(rf"(?<![a-z0-9_-])({re.escape(model)}@[0-9]{{1,9}})\b", said)
    return Markup("").join(
        Markup('<a href="{}">{}</a>').format(release_address(part), part) if place % 2 else part
        for place, part in enumerate(parts)
    )


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "share": share,
    "mib": mib,
    "percent": percent,
    "duration": duration,
    "ago": ago,
    "moment": moment,
    "iso": iso,
    "who": who,
    "answer": answer,
    "source_word": source,
    "verdict_word": lambda kind: VERDICTS[kind],
    "case_kind": lambda kind: CASE_KINDS[kind],
    "case_state": lambda state: CASE_STATES[state],
    "delivery_word": lambda kind: DELIVERIES[kind],
    "path_word": lambda path: PATHS[path],
    "release_address": release_address,
    "with_releases": with_releases,
    "halt_word": lambda mode: HALTS[mode],
}
"""The words that templates use."""
