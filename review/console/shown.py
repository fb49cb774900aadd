"""An item's input as the release's card puts it before a person: a text, a picture, a table or JSON.

Tensors are arrays by name with the items along the card's batch axis; an input sent beside them has the same shape.
Whatever cannot be shown is said in a sentence in its place, for a person must never judge what they do not see.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.answers import rows_of
from gateway.holding.payload import InputPayload
from gateway.registry.card import Card, Inverse, Shown
from review.console.picture import NotAPicture, data_url, pixels_of, sent_picture
from review.console.words import number

Array = NDArray[np.generic]


class ShownInput(msgspec.Struct, frozen=True, kw_only=True):
    """One input, ready for a page."""

    kind: Literal["text", "image", "table", "json", "missing"]
    title: str
    text: str = ""
    """The text, the JSON, or why there is nothing to see."""
    source: str = ""
    """A picture as a data URL."""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def shown_inputs(card: Card, payload: InputPayload | None, item: int, items: int) -> tuple[ShownInput, ...]:
    """The inputs of item `item` (1…n) in the card's order; no payload where none was kept or it was erased."""
    if payload is None:
        return (ShownInput(kind="missing", title="Input", text="The input was not kept, or it was erased."),)
    tensors = {**payload.inputs, **payload.beside}
    return tuple(_shown(card, shown, tensors, item, items) for shown in card.shown)


def _shown(card: Card, shown: Shown, tensors: Mapping[str, Array], item: int, items: int) -> ShownInput:
    title = shown.title or shown.input
    array = tensors.get(shown.input)
    if array is None:
        return ShownInput(kind="missing", title=title, text=f"The caller did not send “{shown.input}”.")
    row = rows_of(array, items, card.batch_axis)[item - 1]
    try:
        return _READERS[shown.kind](shown, title, row)
    except NotAPicture as error:
        return ShownInput(kind="missing", title=title, text=str(error))


def _text(shown: Shown, title: str, row: Array) -> ShownInput:
    separator = " " if shown.inverse.kind == "vocabulary" else "\n"
    return ShownInput(kind="text", title=title, text=separator.join(readable(shown.inverse, np.ravel(row))))


def _image(shown: Shown, title: str, row: Array) -> ShownInput:
    picture = sent_picture(row) if row.dtype == object else pixels_of(shown, _scaled(shown.inverse, row))
    return ShownInput(kind="image", title=title, source=data_url(picture))


def _table(shown: Shown, title: str, row: Array) -> ShownInput:
    """One row of cells is told as titles with values, several as they lie."""
    matrix = row.reshape(-1, row.shape[-1]) if row.ndim else row.reshape(1, 1)
    rows = tuple(tuple(readable(shown.inverse, cells)) for cells in matrix)
    width = len(rows[0]) if rows else 0
    columns = tuple(shown.columns[i] if i < len(shown.columns) else f"column {i + 1}" for i in range(width))
    return ShownInput(kind="table", title=title, columns=columns, rows=rows)


def _json(shown: Shown, title: str, row: Array) -> ShownInput:
    """A text that is JSON is set out in lines; anything else is told as the JSON of the tensor."""
    values = _scaled(shown.inverse, row).tolist()
    if row.dtype == object and row.size == 1:
        try:
            values = msgspec.json.decode(str(np.ravel(row)[0]))
        except (msgspec.DecodeError, RecursionError):
            values = str(np.ravel(row)[0])
    lines = msgspec.json.format(msgspec.json.encode(values), indent=2).decode()
    return ShownInput(kind="json", title=title, text=lines)


_READERS = {"text": _text, "image": _image, "table": _table, "json": _json}


def readable(inverse: Inverse, values: Array) -> Sequence[str]:
    """Each value of a flat array as a person reads it."""
    if inverse.kind == "vocabulary":
        return [_token(inverse, value) for value in values.tolist()]
    return [_cell(value) for value in _scaled(inverse, values).tolist()]


def _token(inverse: Inverse, index: float) -> str:
    """The word with this number; a number that has none, NaN too, as it is."""
    return inverse.vocabulary[int(index)] if 0 <= index < len(inverse.vocabulary) else f"[{index}]"


def _cell(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _scaled(inverse: Inverse, values: Array) -> Array:
    """`values * scale + mean`, by the last axis, where the card declares a scaler."""
    if inverse.kind != "scaler" or values.dtype == object:
        return values
    scaled = values.astype(np.float64)
    if inverse.scale:
        scaled = scaled * np.asarray(inverse.scale)
    return scaled + np.asarray(inverse.mean) if inverse.mean else scaled
