"""Inputs as people see them, out of tensors."""

import base64
import io

import msgspec
import numpy as np
import pytest
from PIL import Image

from gateway.holding.payload import InputPayload
from gateway.registry.card import Inverse, Shown
from review.console.shown import ShownInput, shown_inputs
from tests.worlds import CARD


def seen(shown: Shown, array: np.ndarray, item: int = 1) -> ShownInput:
    """How one input is shown."""
    card = msgspec.structs.replace(CARD, shown=(shown,))
    (found,) = shown_inputs(card, InputPayload(inputs={shown.input: array}), item, array.shape[0])
    return found


def opened(source: str) -> Image.Image:
    """The picture behind a data URL."""
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))


def test_each_item_has_its_own_text() -> None:
    """Of several items each is shown its own row."""
    texts = np.array([["one"], ["two"]], dtype=object)
    assert [seen(Shown(input="t", kind="text"), texts, item).text for item in (1, 2)] == ["one", "two"]


def test_tokens_become_words() -> None:
    """A vocabulary turns numbers back into words; one that it lacks is shown as its number."""
    shown = Shown(input="t", kind="text", inverse=Inverse(kind="vocabulary", vocabulary=("not", "bad")))
    assert seen(shown, np.array([[0, 1, 7]])).text == "not bad [7]"
    assert seen(shown, np.array([[1.0, np.nan]])).text == "bad [nan]"


def test_scaled_columns_become_their_own_unit() -> None:
    """A scaler is undone by column: tensor × scale + mean."""
    inverse = Inverse(kind="scaler", mean=(40.0, 0.0), scale=(10.0, 2.0))
    found = seen(Shown(input="t", kind="table", columns=("age", "rate"), inverse=inverse), np.array([[1.5, -0.25]]))
    assert found.columns == ("age", "rate")
    assert found.rows == (("55", "-0.5"),)


@pytest.mark.parametrize(
    ("shape", "first", "mode"),
    [((1, 4), True, "L"), ((1, 2, 2), True, "L"), ((1, 3, 2, 2), True, "RGB"), ((1, 2, 2, 3), False, "RGB")],
)
def test_pictures_of_every_shape(shape: tuple[int, ...], first: bool, mode: str) -> None:
    """Flat, grey and coloured tensors are pictures, scaled up by whole steps."""
    found = seen(Shown(input="t", kind="image", channels_first=first), np.zeros(shape, dtype=np.uint8))
    picture = opened(found.source)
    assert (picture.mode, picture.size) == (mode, (256, 256))


def test_a_sent_picture_is_drawn_anew() -> None:
    """A PNG in Base64 beside the tensors is decoded and written again, whatever else was in it."""
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(buffer, format="PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    found = seen(Shown(input="t", kind="image"), np.array([[text]], dtype=object))
    assert opened(found.source).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("array", [np.array([["<svg/>"]], dtype=object), np.zeros((1, 7))])
def test_what_is_no_picture_is_said(array: np.ndarray) -> None:
    """What cannot be drawn is told in its place, so that nobody judges what they do not see."""
    found = seen(Shown(input="t", kind="image"), array)
    assert found.kind == "missing"
    assert found.text


def test_json_is_set_out() -> None:
    """A text that is JSON stands in lines."""
    assert seen(Shown(input="t", kind="json"), np.array([['{"a":[1,2]}']], dtype=object)).text.startswith('{\n  "a"')


def test_what_was_not_sent_or_kept_is_said() -> None:
    """A display input that the caller left out, and a payload that was erased, are told as missing."""
    card = msgspec.structs.replace(CARD, shown=(Shown(input="note", kind="text", beside=True),))
    (left_out,) = shown_inputs(card, InputPayload(inputs={}), 1, 1)
    (erased,) = shown_inputs(card, None, 1, 1)
    assert left_out.kind == erased.kind == "missing"
