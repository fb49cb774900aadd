"""Pictures out of tensors: crisp PNGs, scaled by whole steps with the nearest neighbour, so that each pixel is one."""

import base64
import binascii
import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gateway.registry.card import Shown

SIDE_PX = 256
"""The longer side of a small picture once it was scaled up."""
LARGEST_PX = 4096
"""No side of a picture that was sent may be longer."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class NotAPicture(Exception):
    """An input that its card calls an image and that cannot be drawn; the message says why."""


def pixels_of(shown: Shown, row: NDArray[np.generic]) -> Image.Image:
    """The picture in an item's tensor of shape (h, w), (c, h, w), (h, w, c) or flat. Raises: NotAPicture."""
    grid = _grid(shown, row)
    span = (shown.maximum - shown.minimum) or 1.0
    shades = np.nan_to_num((grid.astype(np.float64) - shown.minimum) / span)
    levels = np.rint(np.clip(shades, 0.0, 1.0) * 255).astype(np.uint8)
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def sent_picture(row: NDArray[np.generic]) -> Image.Image:
    """A PNG or JPEG that was sent as Base64 beside the tensors. Raises: NotAPicture."""
    text = str(np.ravel(row)[0]) if row.size else ""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text.partition("base64,")[2] or text, validate=True)))
        if max(image.size) > LARGEST_PX:
            raise NotAPicture(f"The picture is larger than {LARGEST_PX} pixels on a side.")
        return image.convert("RGB")
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise NotAPicture("What was sent for this picture is no PNG or JPEG in Base64.") from error


def data_url(image: Image.Image) -> str:
    """The picture as a PNG within an address; small ones are scaled up by a whole factor."""
    factor = max(1, SIDE_PX // max(image.size))
    scaled = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    scaled.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _grid(shown: Shown, row: NDArray[np.generic]) -> NDArray[np.generic]:
    """The values as (height, width, channels). Raises: NotAPicture."""
    if row.dtype.kind not in "iufb":
        raise NotAPicture("This tensor holds no numbers, so it is no picture.")
    height, width = _size(shown, row)
    channels, rest = divmod(row.size, height * width) if height * width else (0, 1)
    if rest or channels not in MODES:
        raise NotAPicture(f"A tensor of {row.size} numbers is no picture of {width} × {height}.")
    if shown.channels_first or channels == 1:
        return np.moveaxis(row.reshape(channels, height, width), 0, -1)
    return row.reshape(height, width, channels)


def _size(shown: Shown, row: NDArray[np.generic]) -> tuple[int, int]:
    """Height and width: declared, or read off the shape, or the sides of a square."""
    if shown.height and shown.width:
        return shown.height, shown.width
    if row.ndim == 2:
        return row.shape[0], row.shape[1]
    if row.ndim == 3:
        return (row.shape[1], row.shape[2]) if shown.channels_first else (row.shape[0], row.shape[1])
    side = math.isqrt(row.size)
    return side, side
