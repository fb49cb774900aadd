"""The signature that an upstream tells, made sure of before anything is built on it. Pure."""

from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from gateway.inference.upstream_errors import UpstreamSignatureWrong
from gateway.protocol.decode import REVIEW_STATUS
from gateway.protocol.signature import ANY_SIZE, Datatype, Signature, TensorSpec

_DATATYPES = frozenset(get_args(Datatype))
_TENSORS_MAX = 1024
_RANK_MAX = 32
_WORD_MAX, _VERSIONS_MAX = 80, 20


class ToldModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a server tells of one of its models."""

    name: str
    versions: tuple[str, ...]
    """Empty where it tells none."""
    signature: Signature


def told_model(name: str, versions: Sequence[str], platform: str, inputs: list[Any], outputs: list[Any]) -> ToldModel:
    """The model of metadata, cut short where they say more than anybody reads. Raises: UpstreamSignatureWrong."""
    return ToldModel(
        name=name[:_WORD_MAX],
        versions=tuple(word_of(version) for version in versions[:_VERSIONS_MAX]),
        signature=told_signature(platform, inputs, outputs),
    )


def word_of(version: object) -> str:
    """A version as a short text; empty for what is none."""
    return str(version)[:_WORD_MAX] if isinstance(version, str | int) else ""


def told_signature(platform: str, inputs: list[Any], outputs: list[Any]) -> Signature:
    """The signature of metadata whose tensors have `name`, `datatype` and `shape`. Raises: UpstreamSignatureWrong."""
    return Signature(
        inputs=_specs("input", inputs), outputs=_without_review(_specs("output", outputs)), platform=platform[:80]
    )


def as_first_told(first: Signature, told: Signature) -> Signature:
    """What callers were told at first, where the upstream keeps to it; else what the upstream tells.

    Servers leave sizes open that others state, and tell tensors in an order of their own: neither is a difference.
    """
    inputs, outputs = _kept(first.inputs, told.inputs), _kept(first.outputs, told.outputs)
    if inputs is None or outputs is None:
        return told
    return Signature(inputs=inputs, outputs=outputs, platform=told.platform)


def _specs(side: str, tensors: list[Any]) -> tuple[TensorSpec, ...]:
    if not 0 < len(tensors) <= _TENSORS_MAX:
        raise UpstreamSignatureWrong(fault=f"it names no {side}s" if not tensors else f"it names too many {side}s")
    specs = tuple(_spec(side, tensor) for tensor in tensors)
    if len({spec.name for spec in specs}) < len(specs):
        raise UpstreamSignatureWrong(fault=f"it names an {side} twice")
    return specs


def _spec(side: str, tensor: Any) -> TensorSpec:
    shape = tuple(tensor.shape)
    if tensor.datatype not in _DATATYPES:
        raise UpstreamSignatureWrong(fault=f"{side} '{tensor.name[:80]}' is {tensor.datatype[:20]}")
    if len(shape) > _RANK_MAX or not all(isinstance(size, int) for size in shape):
        raise UpstreamSignatureWrong(fault=f"{side} '{tensor.name[:80]}' has no shape")
    return TensorSpec(
        name=tensor.name, datatype=tensor.datatype, shape=tuple(size if size >= 0 else ANY_SIZE for size in shape)
    )


def _without_review(outputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """The outputs without the one that answers use themselves; it is refused where nothing else is left."""
    kept = tuple(spec for spec in outputs if spec.name != REVIEW_STATUS)
    if not kept:
        raise UpstreamSignatureWrong(fault=f"its only output is '{REVIEW_STATUS}'")
    return kept


def _kept(first: tuple[TensorSpec, ...], told: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...] | None:
    by_name = {spec.name: spec for spec in told}
    if by_name.keys() != {spec.name for spec in first}:
        return None
    alike = all(_alike(spec, by_name[spec.name]) for spec in first)
    return first if alike else None


def _alike(first: TensorSpec, told: TensorSpec) -> bool:
    if first.datatype != told.datatype or len(first.shape) != len(told.shape):
        return False
    sizes = zip(first.shape, told.shape, strict=True)
    return all(one == other or ANY_SIZE in (one, other) for one, other in sizes)
