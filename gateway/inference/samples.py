"""Made-up inputs that fit a signature, to warm a session and to probe a model."""

from collections.abc import Mapping
from math import prod

import numpy as np

from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

FREE_SIZES = (1, 8, 32, 224)
"""What free axes beside the batch are tried with, until a model takes one."""
ELEMENTS_MAX = 4 * 1024 * 1024
"""Made-up inputs are no larger than this together."""
_WORDS = ("a", "good", "bad", "day", "model", "answer", "never", "quite")


def sample_feeds(signature: Signature, *, items: int, free_size: int = 1, seed: int = 0) -> dict[str, Tensor]:
    """One tensor an input: a free first axis has `items`, every other free axis `free_size`.

    Floats are standard normal, integers 0 or 1 (valid token ids), text is short. Equal arguments give equal feeds.
    """
    random = np.random.default_rng(seed)
    return {spec.name: _sample(spec, _shape(spec, items, free_size), random) for spec in signature.inputs}


def free_sizes(signature: Signature, *, items: int) -> tuple[int, ...]:
    """The sizes of free axes that are worth a try; one where all of them are declared."""
    if not any(ANY_SIZE in spec.shape[1:] for spec in signature.inputs):
        return FREE_SIZES[:1]
    return tuple(size for size in FREE_SIZES if elements(signature, items=items, free_size=size) <= ELEMENTS_MAX)


def elements(signature: Signature, *, items: int, free_size: int = 1) -> int:
    """How many elements such inputs have together."""
    return sum(prod(_shape(spec, items, free_size)) for spec in signature.inputs)


def take_item(feeds: Mapping[str, Tensor], signature: Signature, index: int) -> dict[str, Tensor]:
    """The feeds of one item out of a batch along the first axis."""
    batched = {spec.name for spec in signature.inputs if has_free_batch(spec)}
    return {name: feed[index : index + 1] if name in batched else feed for name, feed in feeds.items()}


def has_free_batch(spec: TensorSpec) -> bool:
    """Whether the first axis may have any size."""
    return spec.shape[:1] == (ANY_SIZE,)


def _shape(spec: TensorSpec, items: int, free_size: int) -> tuple[int, ...]:
    """The declared shape with its free axes filled."""
    sizes = [items, *([free_size] * len(spec.shape))]
    return tuple(size if want == ANY_SIZE else want for want, size in zip(spec.shape, sizes, strict=False))


def _sample(spec: TensorSpec, shape: tuple[int, ...], random: np.random.Generator) -> Tensor:
    """A random tensor of this shape."""
    dtype = NUMPY[spec.datatype]
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    if dtype.kind == "O":
        words = random.choice(_WORDS, (*shape, 3))
        return np.array([" ".join(row) for row in words.reshape(-1, 3)], dtype).reshape(shape)
    return random.integers(0, 2, shape).astype(dtype)
