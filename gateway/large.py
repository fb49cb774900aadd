"""What takes long with large tensors is done beside the loop, so that small requests need not wait for it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.protocol.datatypes import Tensor

LARGE_BYTES = 128 * 1024
"""From here on a digest or a copy takes longer than the hop to a thread and back."""

Given = TypeVar("Given")
Done = TypeVar("Done")


async def beside_if_large(tensors: Mapping[str, Tensor], work: Callable[[Given], Done], given: Given) -> Done:
    """What the work comes to: done in a thread where these tensors are large, else at once."""
    if sum(tensor.nbytes for tensor in tensors.values()) < LARGE_BYTES:
        return work(given)
    return await asyncio.to_thread(work, given)
