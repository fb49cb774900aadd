"""Drafts a card from what admission found out about a file; whatever is guessed is marked for its owner to confirm."""

import json
from collections.abc import Iterator

from gateway.inference.guess import ModelGuess
from gateway.inference.report import AdmissionReport
from gateway.protocol.signature import TensorSpec

CONFIRM = "# CONFIRM:"
KEYS = "1234567890"
PLACEHOLDER = "FILL IN"


def draft_card(report: AdmissionReport, guess: ModelGuess) -> str:
    """A card in TOML that `lockgate models check` accepts once the marked lines are right. Pure."""
    sections = (
        _head(report),
        _guideline(),
        _about(),
        _shown(report, guess),
        _answer(guess),
        _outcome(report, guess),
        _labels(guess),
        _policy(),
    )
    return "\n".join(line for section in sections for line in (*section, ""))


def _head(report: AdmissionReport) -> Iterator[str]:
    yield f"# A draft from the file {report.sha256[:12]}…; {CONFIRM[2:]} marks what was guessed or only you can know."
    yield from (f"#   takes  {_spec(spec)}" for spec in report.signature.inputs)
    yield from (f"#   gives  {_spec(spec)}" for spec in report.signature.outputs)
    yield from (f"#   note   {warning}" for warning in report.warnings)


def _guideline() -> Iterator[str]:
    yield f"{CONFIRM} what a reviewer reads before judging (Markdown)."
    yield f"guideline = {_text(PLACEHOLDER + ': what is right, what is wrong, and what to do in doubt.')}"


def _about() -> Iterator[str]:
    yield "[about]"
    yield f"{CONFIRM} who answers for this model, what it is for and what it is not for."
    for name in ("owner", "contact", "intended_use", "limitations"):
        yield f"{name} = {_text(PLACEHOLDER)}"


def _shown(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield f"{CONFIRM} how each input is put before a person: text, image, table or json."
    for spec in report.signature.inputs:
        yield "[[shown]]"
        yield f"input = {_text(spec.name)}"
        yield f"kind = {_text(guess.shown)}"


def _answer(guess: ModelGuess) -> Iterator[str]:
    by_class = guess.confidence is not None and guess.answer == guess.confidence
    yield "[answer]"
    yield f"{CONFIRM} which output is the answer."
    yield f"output = {_text(guess.answer or PLACEHOLDER)}"
    if by_class:
        yield f"takes = {_text('threshold' if guess.confidence_meaning == 'probability' else 'argmax')}"
    if guess.confidence is not None:
        yield f"{CONFIRM} where its confidence comes from ({guess.confidence_meaning})."
        yield f"confidence = {_text(guess.confidence)}"
        yield f"{CONFIRM} the class order of that output; the file does not vouch for it."
        yield f"classes = {json.dumps(list(_classes(guess)), ensure_ascii=False)}"


def _outcome(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield "# How a person's answer becomes outputs, so that no corrected answer contradicts itself."
    for spec in report.signature.outputs:
        yield "[[outcome]]"
        yield f"output = {_text(spec.name)}"
        yield f"becomes = {_text(_becomes(spec, guess))}"


def _becomes(spec: TensorSpec, guess: ModelGuess) -> str:
    if spec.name == guess.confidence:
        return "one_hot"
    return "answer" if spec.name == guess.answer else "keep"


def _labels(guess: ModelGuess) -> Iterator[str]:
    yield "[labels]"
    if guess.confidence is None and not guess.classes:
        yield f"{CONFIRM} what people may answer: choice, number or text."
        yield 'kind = "number"'
        return
    yield 'kind = "choice"'
    yield f"{CONFIRM} the choices, with the key that a reviewer presses."
    for number, name in enumerate(_classes(guess)):
        yield "[[labels.choices]]"
        yield f"value = {_text(name)}"
        if number < len(KEYS):
            yield f"key = {_text(KEYS[number])}"


def _policy() -> Iterator[str]:
    yield "[policy]"
    yield f"{CONFIRM} below which confidence an answer waits for a person, and how many others are checked at random."
    yield "hold_below = 0.6"
    yield "audit_rate = 0.02"


def _classes(guess: ModelGuess) -> tuple[str, ...]:
    return guess.classes or ("first class", "second class")


def _spec(spec: TensorSpec) -> str:
    return f"{spec.name} {spec.datatype} {list(spec.shape)}"


def _text(value: str) -> str:
    """A JSON string is a TOML string."""
    return json.dumps(value, ensure_ascii=False)
