"""What the outputs of a probe mean. PURE: arrays in, findings out."""

import numpy as np

from gateway.inference.report import Meaning, OutputFinding
from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import ANY_SIZE, TensorSpec

_SUM_TOLERANCE = 1e-3
_LABEL_WIDTHS = (1,)


def find_meaning(rows: Tensor) -> Meaning:
    """What an output with one row an item looks like, from its finite values."""
    if rows.dtype.kind in "OSUiu":
        return "label" if rows.ndim == 1 or rows.shape[1:] in ((), _LABEL_WIDTHS) else "values"
    if rows.dtype.kind != "f" or rows.size == 0 or not _within_unit(rows):
        return "values"
    if rows.ndim == 1 or rows.shape[1:] == _LABEL_WIDTHS:
        return "probability"
    sums = rows.sum(axis=-1, dtype=np.float64)
    return "probabilities" if rows.ndim == 2 and np.allclose(sums, 1, atol=_SUM_TOLERANCE) else "scores"


def find_margin(output: OutputFinding, rows: Tensor) -> float | None:
    """A value that cannot be a probability in an output that calls itself one."""
    if "prob" not in output.name.lower() or rows.dtype.kind != "f":
        return None
    finite = rows[np.isfinite(rows)]
    outside = finite[(finite < -_SUM_TOLERANCE) | (finite > 1 + _SUM_TOLERANCE)]
    return float(outside[0]) if outside.size else None


def is_finite(rows: Tensor) -> bool:
    """Whether JSON can carry every value."""
    return rows.dtype.kind != "f" or bool(np.isfinite(rows).all())


def same_values(one: Tensor, other: Tensor) -> bool:
    """Whether two outputs agree, numbers within what the order of additions may change."""
    if one.shape != other.shape:
        return False
    if one.dtype.kind == "f":
        return np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)
    return bool((one == other).all())


def observed_spec(declared: TensorSpec, alone: Tensor, together: Tensor) -> TensorSpec:
    """The output as it really is: sizes that vary are free, and a declared size that does not hold gives way."""
    if alone.ndim != together.ndim:
        return declared
    free = declared.shape if len(declared.shape) == alone.ndim else (0,) * alone.ndim
    shape = tuple(
        ANY_SIZE if want == ANY_SIZE or one != two else one
        for want, one, two in zip(free, alone.shape, together.shape, strict=True)
    )
    return TensorSpec(name=declared.name, datatype=declared.datatype, shape=shape)


def _within_unit(rows: Tensor) -> bool:
    """Whether all finite values lie in [0, 1]."""
    finite = rows[np.isfinite(rows)]
    return bool(((finite >= -_SUM_TOLERANCE) & (finite <= 1 + _SUM_TOLERANCE)).all())
