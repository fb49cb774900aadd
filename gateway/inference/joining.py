"""Requests put together for one run, and its outputs taken apart again. PURE but for the run itself."""

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.errors import GatewayError
from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.session import OnnxSession
from gateway.protocol.datatypes import Tensor

Outputs = dict[str, Tensor]
Result = Outputs | GatewayError
"""What became of one request."""
Feeds = Mapping[str, Tensor]


def joined(several: Sequence[Feeds]) -> dict[str, Tensor]:
    """The tensors of several requests one after the other along the first axis; their items' shapes are equal."""
    return {name: np.concatenate([feeds[name] for feeds in several]) for name in several[0]}


def parted(outputs: Outputs, rows: Sequence[int]) -> list[Outputs] | None:
    """The outputs of each request; None where an output has not one row an item, and so nobody's rows."""
    total = sum(rows)
    if any(array.shape[:1] != (total,) for array in outputs.values()):
        return None
    parts: list[Outputs] = []
    start = 0
    for count in rows:
        parts.append({name: array[start : start + count] for name, array in outputs.items()})
        start += count
    return parts


def run_together(session: OnnxSession, several: Sequence[Feeds], rows: Sequence[int]) -> list[Result] | None:
    """Each request's own result of one run.

    Where the run fails each request is run alone, so that a request the model refuses leaves its neighbours
    untouched. None where the model does not give one row an item: it must not be asked like this.
    """
    if len(several) == 1:
        return [run_alone(session, several[0])]
    try:
        outputs = session.run(joined(several))
    except (ModelFailed, ModelRefusedValues, MemoryError):
        return [run_alone(session, feeds) for feeds in several]
    parts = parted(outputs, rows)
    return None if parts is None else list(parts)


def run_alone(session: OnnxSession, feeds: Feeds) -> Result:
    """The outputs for one request, or what went wrong."""
    try:
        return session.run(feeds)
    except GatewayError as error:
        return error
