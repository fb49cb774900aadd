"""Runs a model on made-up inputs to see how it behaves. Only the admission process does this."""

from typing import NamedTuple

import numpy as np

from gateway.inference.errors import ModelFailed, ModelOutOfMemory, ModelRefusedValues
from gateway.inference.findings import find_margin, find_meaning, is_finite, observed_spec, same_values
from gateway.inference.refusals import MarginsAsProbabilities
from gateway.inference.report import Batching, OutputFinding, Probe
from gateway.inference.samples import (
    ELEMENTS_MAX,
    FREE_SIZES,
    elements,
    has_free_batch,
    sample_feeds,
    take_item,
)
from gateway.inference.session import Session
from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import Signature

_ITEMS = 8

Outputs = dict[str, Tensor]


class Probed(NamedTuple):
    """What a probe gives: its findings, the signature with true output shapes, and what the owner should know."""

    probe: Probe
    signature: Signature
    warnings: tuple[str, ...]


class _Runs(NamedTuple):
    """The same items answered one at a time, and together if that works."""

    alone: list[Outputs]
    together: Outputs | None
    repeated: Outputs


def probe(session: Session) -> Probed:
    """The findings about an open model. Raises MarginsAsProbabilities; a model that cannot be run gets a warning."""
    runs = _run(session)
    if runs is None:
        return Probed(Probe(), session.signature, (_NOT_RUN,))
    session.warm_up()
    findings = tuple(_finding(spec.name, runs) for spec in session.signature.outputs)
    batching = _batching(session.signature, runs)
    result = Probe(
        batching=batching,
        deterministic=all(same_values(runs.repeated[name], runs.alone[0][name]) for name in runs.repeated),
        cost_us=round(session.cost.first_us, 1) if np.isfinite(session.cost.first_us) else None,
        outputs=findings,
    )
    signature = _observed(session.signature, runs)
    return Probed(result, signature, (*_warnings(result), *_untrue_shapes(session.signature, signature)))


def _run(session: Session) -> _Runs | None:
    """The first made-up inputs that the model accepts, run alone and together."""
    signature = session.signature
    for free_size in FREE_SIZES:
        if elements(signature, items=_ITEMS, free_size=free_size) > ELEMENTS_MAX:
            continue
        feeds = sample_feeds(signature, items=_ITEMS, free_size=free_size)
        items = [take_item(feeds, signature, index) for index in range(_ITEMS)]
        alone = [_try(session, item) for item in items]
        repeated = _try(session, items[0])
        answered = [outputs for outputs in alone if outputs is not None]
        if repeated is not None and len(answered) == _ITEMS:
            return _Runs(answered, _try(session, feeds), repeated)
    return None


def _try(session: Session, feeds: dict[str, Tensor]) -> Outputs | None:
    """The outputs, or None where the model fails; one that takes all memory is not asked again."""
    try:
        return session.run(feeds)
    except ModelOutOfMemory:
        raise
    except (ModelFailed, ModelRefusedValues):
        return None


def _finding(name: str, runs: _Runs) -> OutputFinding:
    """What one output holds; refuses margins that are called probabilities."""
    per_item = all(outputs[name].shape[:1] == (1,) for outputs in runs.alone)
    rows = _rows(name, runs) if per_item else None
    shown = runs.alone[0][name] if rows is None else rows
    meaning = "values" if rows is None else find_meaning(rows)
    finding = OutputFinding(name=name, meaning=meaning, finite=is_finite(shown), per_item=per_item)
    if (margin := find_margin(finding, shown)) is not None:
        raise MarginsAsProbabilities(tensor=name, value=f"{margin:.3g}")
    return finding


def _rows(name: str, runs: _Runs) -> Tensor | None:
    """One row an item, or None where the items' shapes differ."""
    if runs.together is not None and runs.together[name].shape[:1] == (_ITEMS,):
        return runs.together[name]
    rows = [outputs[name] for outputs in runs.alone]
    return np.concatenate(rows) if len({row.shape for row in rows}) == 1 else None


def _batching(signature: Signature, runs: _Runs) -> Batching:
    """Whether items may be sent together, and whether that leaves their answers as they are."""
    if not any(map(has_free_batch, signature.inputs)) or runs.together is None:
        return "fixed"
    per_item = [name for name, array in runs.together.items() if array.shape[:1] == (_ITEMS,)]
    if not per_item:
        return "mixed"
    same = all(
        same_values(np.concatenate([outputs[name] for outputs in runs.alone]), runs.together[name])
        for name in per_item
        if {outputs[name].shape for outputs in runs.alone} == {(1, *runs.together[name].shape[1:])}
    )
    return "independent" if same and len(per_item) == len(runs.together) else "mixed"


def _observed(signature: Signature, runs: _Runs) -> Signature:
    """The signature with the outputs as they came."""
    together = runs.together or runs.alone[-1]
    outputs = tuple(observed_spec(spec, runs.alone[0][spec.name], together[spec.name]) for spec in signature.outputs)
    return Signature(inputs=signature.inputs, outputs=outputs, platform=signature.platform)


_NOT_RUN = (
    "The model could not be run on made-up inputs, so nothing is known about its outputs and its speed;"
    " send it a real request before you open it to traffic."
)
_MIXED = (
    "The answer for an item depends on the other items of its request; requests are never joined,"
    " and holding a single item says little."
)
_RANDOM = "The model answers the same input differently each time; a release of it cannot be replayed."
_NOT_FINITE = (
    "Output '{name}' held NaN or infinity for made-up inputs; such answers are held, and never told,"
    ' unless the card says answer.not_finite = "null" and the answer is not read from it.'
)
_SCORES = "Output '{name}' is called a probability, but its rows do not sum to 1; the card must not treat it as one."
_UNTRUE = "Output '{name}' declares the shape {declared}, but gives {observed}; the observed one is used."


def _warnings(result: Probe) -> list[str]:
    """What the owner should know about the behaviour."""
    warnings = [_MIXED] if result.batching == "mixed" else []
    if not result.deterministic:
        warnings.append(_RANDOM)
    for output in result.outputs:
        if not output.finite:
            warnings.append(_NOT_FINITE.format(name=output.name))
        if output.meaning == "scores" and "prob" in output.name.lower():
            warnings.append(_SCORES.format(name=output.name))
    return warnings


def _untrue_shapes(declared: Signature, observed: Signature) -> list[str]:
    """The outputs whose declared shape does not hold."""
    pairs = zip(declared.outputs, observed.outputs, strict=True)
    return [
        _UNTRUE.format(name=one.name, declared=list(one.shape), observed=list(other.shape))
        for one, other in pairs
        if one.shape != other.shape
    ]
