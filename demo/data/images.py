"""1,797 hand-written digits of 8×8 grey values (UCI optical recognition of handwritten digits, inside scikit-learn)."""

import hashlib

import msgspec
import numpy as np
from sklearn.datasets import load_digits

from demo.data.split import is_held_out

HELD_OUT_SHARE = 0.4
SIDE = 8


class Digit(msgspec.Struct, frozen=True, kw_only=True):
    """One image, 64 grey values from 0 (paper) to 16 (ink) row by row, and the digit that its writer was asked for."""

    key: str
    pixels: tuple[int, ...]
    label: int


class DigitSplit(msgspec.Struct, frozen=True, kw_only=True):
    """Images to learn from, and images that the model has never seen."""

    train: tuple[Digit, ...]
    held_out: tuple[Digit, ...]


def load_images() -> tuple[Digit, ...]:
    """All images in the order of the package."""
    pixels, labels = load_digits(return_X_y=True)
    return tuple(_digit(row.astype(np.uint8), int(label)) for row, label in zip(pixels, labels, strict=True))


def split_images(images: tuple[Digit, ...]) -> DigitSplit:
    """A split by the pixels themselves, so that two equal images never lie on different sides."""
    held_out = tuple(image for image in images if is_held_out("digits", image.key, HELD_OUT_SHARE))
    chosen = {image.key for image in held_out}
    return DigitSplit(train=tuple(image for image in images if image.key not in chosen), held_out=held_out)


def _digit(row: np.ndarray[tuple[int], np.dtype[np.uint8]], label: int) -> Digit:
    return Digit(key=hashlib.sha256(row.tobytes()).hexdigest()[:16], pixels=tuple(row.tolist()), label=label)
