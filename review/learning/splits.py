"""Which split an item is in, which slice, and what its input is called. Pure.

An item's digest is made from the model's own inputs, so that equal inputs have one digest, whatever request they came
in. The split is read off the digest: equal inputs never straddle it, and no later dataset moves an item.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Literal

import numpy as np

from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.registry.card import Slice

Split = Literal["train", "held_out"]
HELD_OUT = 0.2
"""The share of all inputs that no release may learn from."""
_CUT = int(HELD_OUT * 2**64)


def split_of(digest: str) -> Split:
    """The split of an item, by the SHA-256 of its input in hexadecimal."""
    return "held_out" if int(digest[:16], 16) < _CUT else "train"


def item_rows(tensor: Tensor, items: int, batch_axis: int | None) -> Tensor:
    """The tensor as [items, …]; one without the batch axis belongs whole to every item."""
    if batch_axis is None or tensor.ndim == 0 or tensor.shape[0] != items:
        return np.broadcast_to(tensor, (items, *tensor.shape))
    return tensor


def item_digests(rows: Mapping[str, Tensor], items: int) -> list[str]:
    """The SHA-256 of each item's input; `rows` are tensors of [items, …] by name."""
    return _digests(rows, items, folded=False)


def folded_digests(rows: Mapping[str, Tensor], items: int, digests: list[str]) -> list[str]:
    """The digests under which texts that differ only in case and blanks are equal; for other inputs the same ones."""
    if not any(tensor.dtype.kind in "OUS" for tensor in rows.values()):
        return digests
    return _digests(rows, items, folded=True)


def slice_values(declared: Slice, rows: Mapping[str, Tensor], facts: Mapping[str, object], items: int) -> list[str]:
    """The value of a slice for each item; empty where the item does not say."""
    if declared.input is None:
        return [_slice_value(declared, facts.get(declared.parameter or ""))] * items
    tensor = rows.get(declared.input)
    if tensor is None or tensor.size < items:
        return [""] * items
    return [_slice_value(declared, value) for value in tensor.reshape(items, -1)[:, 0].tolist()]


def _slice_value(declared: Slice, value: object) -> str:
    if value is None:
        return ""
    if not declared.edges:
        return f"{value:g}" if isinstance(value, float) else str(value)
    try:
        return _range(float(str(value)), declared.edges)
    except ValueError:
        return ""


def _range(number: float, edges: Sequence[float]) -> str:
    """The range between two edges, such as `30 to 50`; the lower edge belongs to it."""
    below = [edge for edge in edges if edge <= number]
    above = [edge for edge in edges if edge > number]
    if not below:
        return f"below {min(above):g}"
    return f"{max(below):g} to {min(above):g}" if above else f"{max(below):g} and up"


def _digests(rows: Mapping[str, Tensor], items: int, *, folded: bool) -> list[str]:
    parts = [_parts(name, rows[name], items, folded=folded) for name in sorted(rows)]
    return [sha256(b"".join(of_item)).hexdigest() for of_item in zip(*parts, strict=True)]


def _parts(name: str, tensor: Tensor, items: int, *, folded: bool) -> list[bytes]:
    """Of each item the bytes that stand for this tensor: name, datatype, shape and elements."""
    head = f"{name}\0{datatype_of(tensor)}\0{tensor.shape[1:]}\0".encode()
    if tensor.dtype.kind in "OUS":
        texts = _texts(tensor.ravel().tolist(), folded=folded)
        framed = [len(text).to_bytes(4, "little") + text for text in texts]
        width = len(framed) // items
        return [head + b"".join(framed[at : at + width]) for at in range(0, width * items, width or 1)] or [
            head
        ] * items
    data = np.ascontiguousarray(tensor).tobytes()
    size = len(data) // items
    return [head + data[at : at + size] for at in range(0, len(data), size)] if size else [head] * items


def _texts(elements: Sequence[str | bytes], *, folded: bool) -> list[bytes]:
    plain = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in elements]
    return [" ".join(text.casefold().split()).encode() if folded else text.encode() for text in plain]
