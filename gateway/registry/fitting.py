"""Whether a card fits the model file it is about: names, datatypes and class counts. Pure."""

from collections.abc import Iterator

from gateway.inference.report import AdmissionReport
from gateway.inference.wish import usual_faults
from gateway.protocol.signature import TensorSpec
from gateway.registry.card import Card, CardRefused

TWO = 2
"""So many classes one number tells apart: it is the probability of the second one."""
NUMBERS = frozenset({"UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"})


def require_fit(card: Card, report: AdmissionReport) -> None:
    """Return if the card fits. Raises: CardRefused with every contradiction."""
    if found := tuple(faults(card, report)):
        raise CardRefused(fault=" ".join(found))


def faults(card: Card, report: AdmissionReport) -> Iterator[str]:
    """Each contradiction between a card and its model, as a sentence that says what to change."""
    inputs = {spec.name: spec for spec in report.signature.inputs}
    outputs = {spec.name: spec for spec in report.signature.outputs}
    yield from _shown_faults(card, inputs)
    yield from _output_faults(card, outputs)
    yield from _policy_faults(card, inputs)
    yield from _class_faults(card, outputs)
    yield from _batch_faults(card, report)
    yield from usual_faults(card.session.usual, report.signature)


def _shown_faults(card: Card, inputs: dict[str, TensorSpec]) -> Iterator[str]:
    for shown in card.shown:
        if not shown.beside and shown.input not in inputs:
            yield (
                f"shown.input '{shown.input}' is no input of the model (it has {_names(inputs)}); "
                "write beside = true if it is sent for people only."
            )
        if shown.beside and shown.input in inputs:
            yield f"shown.input '{shown.input}' is an input of the model, so it cannot be beside = true."
    for part in card.slices:
        if part.input is not None and part.input not in inputs and part.input not in card.beside:
            yield f"slices '{part.name}' reads the input '{part.input}', which the model does not have."


def _output_faults(card: Card, outputs: dict[str, TensorSpec]) -> Iterator[str]:
    named = [("answer.output", card.answer.output), ("answer.confidence", card.answer.confidence)]
    named += [("outcome.output", declared.output) for declared in card.outcome]
    for place, name in named:
        if name is not None and name not in outputs:
            yield f"{place} '{name}' is no output of the model (it has {_names(outputs)})."
    confidence = outputs.get(card.answer.confidence or "")
    if confidence is not None and confidence.datatype not in NUMBERS:
        yield f"answer.confidence '{confidence.name}' holds {confidence.datatype}, and a confidence is a number."


def _policy_faults(card: Card, inputs: dict[str, TensorSpec]) -> Iterator[str]:
    for name in card.policy.envelope:
        if name not in inputs:
            yield f"policy.envelope names '{name}', which is no input of the model (it has {_names(inputs)})."
        elif inputs[name].datatype not in NUMBERS:
            yield f"policy.envelope names '{name}', which holds {inputs[name].datatype} and has no range."
    for rule in card.policy.field_rules:
        if rule.input not in inputs:
            yield f"policy.field_rules '{rule.name}' reads '{rule.input}', which is no input of the model."
    values = {choice.value for choice in card.labels.choices}
    for name in card.policy.hold_below_by_class:
        if values and name not in values:
            yield f"policy.hold_below_by_class names '{name}', which is not among labels.choices."
    if (card.policy.hold_below or card.policy.hold_below_by_class) and card.answer.confidence is None:
        yield "policy.hold_below needs answer.confidence: without a confidence output every item would be held."


def _class_faults(card: Card, outputs: dict[str, TensorSpec]) -> Iterator[str]:
    confidence = outputs.get(card.answer.confidence or "")
    if confidence is None or len(confidence.shape) < 2:
        return
    classes, width = card.answer.classes, confidence.shape[-1]
    one_for_two = width == 1 and len(classes) == TWO
    if classes and width > 0 and len(classes) != width and not one_for_two:
        yield f"answer.classes lists {len(classes)} classes, and output '{confidence.name}' has {width} columns."
    if not classes and card.answer.confidence_is == "of_answer":
        yield (
            f"answer.classes is missing: without the order of the columns of '{confidence.name}' "
            "nobody knows which number belongs to which class."
        )


def _batch_faults(card: Card, report: AdmissionReport) -> Iterator[str]:
    if card.batch_axis is not None and report.probe.batching == "mixed":
        yield 'batch_axis is 0, but the model mixes rows: an item\'s answer depends on its neighbours. Write "none".'


def _names(specs: dict[str, TensorSpec]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(specs)) or "none"
