"""Lists of what entries say as arrays of Arrow: ids as text, and lists in lists."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.record.entries import Inclusion, ItemFacts, Number
from review.traffic.columns import ITEM

Ints = npt.NDArray[np.int64]
_ID_CHARS: Final = 36
_DASHES: Final = (8, 13, 18, 23)
_DIGITS: Final = [place for place in range(_ID_CHARS) if place not in _DASHES]


def ids(ids: Sequence[bytes]) -> pa.Array:
    """The ids, of 16 bytes each, as the text that UUIDs have."""
    count = len(ids)
    text = np.full((count, _ID_CHARS), ord("-"), dtype=np.uint8)
    text[:, _DIGITS] = np.frombuffer(b"".join(ids).hex().encode(), dtype=np.uint8).reshape(count, 32)
    offsets = np.arange(count + 1, dtype=np.int32) * _ID_CHARS
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def lists(lengths: Iterable[int], flat: pa.Array) -> pa.Array:
    """A list of so many elements for each row, of all elements in a row."""
    return pa.ListArray.from_arrays(pa.array(_offsets(lengths)), flat)


def sums(lengths: Iterable[int], flags: Sequence[bool]) -> Ints:
    """How many flags are true of the elements of each row, of all elements in a row."""
    up_to = np.concatenate(([0], np.cumsum(np.fromiter(flags, dtype=np.int64, count=len(flags)))))
    offsets = _offsets(lengths)
    found: Ints = up_to[offsets[1:]] - up_to[offsets[:-1]]
    return found


def items(facts: Sequence[ItemFacts]) -> pa.Array:
    """What was found about each item; its answer and what makes it unfit stand in columns of their own."""
    columns = {
        "score": pa.array([each.score for each in facts], pa.float64()),
        "held": pa.array([each.held for each in facts], pa.bool_()),
        "rule": pa.array([each.rule for each in facts], pa.string()),
        "audited": pa.array([each.audited for each in facts], pa.bool_()),
        "audit_probability": pa.array([each.audit_probability for each in facts], pa.float64()),
        "audit_draw": pa.array([each.audit_draw for each in facts], pa.float64()),
        "inclusion": _map([each.inclusion for each in facts], "kind", "probability"),
        "evidence": _map([each.evidence for each in facts], "name", "value"),
    }
    return pa.StructArray.from_arrays([columns[field.name] for field in ITEM], fields=list(ITEM))


def _map(pairs: Sequence[tuple[Inclusion, ...] | tuple[Number, ...]], key: str, value: str) -> pa.Array:
    flat: list[Any] = list(chain.from_iterable(pairs))
    keys = pa.array([getattr(each, key) for each in flat], pa.string())
    values = pa.array([getattr(each, value) for each in flat], pa.float64())
    return pa.MapArray.from_arrays(pa.array(_offsets(map(len, pairs))), keys, values)


def _offsets(lengths: Iterable[int]) -> npt.NDArray[np.int32]:
    return np.concatenate(([0], np.cumsum(np.fromiter(lengths, dtype=np.int32)))).astype(np.int32)
