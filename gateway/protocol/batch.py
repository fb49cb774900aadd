"""Items: how many a request has along the declared batch axis."""

from collections.abc import Iterable, Mapping

from gateway.protocol.datatypes import Tensor
from gateway.protocol.errors import BatchSizesDisagree
from gateway.protocol.signature import ANY_SIZE, TensorSpec


def batched_inputs(inputs: Iterable[TensorSpec], axis: int | None) -> frozenset[str]:
    """The inputs that hold one entry an item: those of free size along the axis, else the first that has the axis."""
    if axis is None:
        return frozenset()
    reaching = [spec for spec in inputs if len(spec.shape) > axis]
    free = [spec.name for spec in reaching if spec.shape[axis] == ANY_SIZE]
    return frozenset(free or [spec.name for spec in reaching[:1]])


def count_items(tensors: Mapping[str, Tensor], axis: int | None) -> int:
    """The size in which all these tensors agree along the axis, 1 without tensors or axis."""
    items, first = 1, None
    for name, tensor in tensors.items():
        if axis is None or tensor.ndim <= axis:
            continue
        if first is None:
            items, first = tensor.shape[axis], name
        elif tensor.shape[axis] != items:
            raise BatchSizesDisagree(tensor=name, found=tensor.shape[axis], axis=axis, other=first, expected=items)
    return items
