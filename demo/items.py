"""What the demo's callers send: held-out records as the named tensors of the Open Inference Protocol."""

from collections.abc import Mapping

import msgspec

from demo.data.images import SIDE, Digit
from demo.data.loan_words import application_words
from demo.data.loans import AMOUNTS, CODES, Application
from demo.data.reviews import Snippet


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a request, row-major, with the field names of the protocol, so that it encodes as it is."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: tuple[str, ...] | tuple[float, ...] | tuple[int, ...]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something known of a request that is sent beside its tensors and that no model sees."""

    name: str
    value: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A request of one item, with the truth that its data set knows (never sent).

    `beside` is for the eyes of a reviewer: it travels with the inputs and no model is fed with it.
    """

    model: str
    key: str
    inputs: tuple[Tensor, ...]
    truth: str
    beside: tuple[Tensor, ...] = ()
    facts: tuple[Fact, ...] = ()


def snippet_item(snippet: Snippet) -> Item:
    """The sentence as one string."""
    text = Tensor(name="text", datatype="BYTES", shape=(1, 1), data=(snippet.text,))
    return Item(model="sentiment", key=snippet.key, inputs=(text,), truth=snippet.label)


def digit_item(digit: Digit) -> Item:
    """The image as 64 grey values, 0 to 16."""
    pixels = Tensor(name="pixels", datatype="FP32", shape=(1, SIDE * SIDE), data=tuple(map(float, digit.pixels)))
    return Item(model="digits", key=digit.key, inputs=(pixels,), truth=str(digit.label))


def application_item(application: Application) -> Item:
    """One tensor an input; beside them the same values in words for a reviewer, and race as a fact."""
    words = application_words(application)
    return Item(
        model="loans",
        key=application.key,
        inputs=(
            *_columns(AMOUNTS, "FP32", application.amounts),
            *_columns(CODES, "INT64", application.codes),
        ),
        truth=application.decision,
        beside=(Tensor(name="application", datatype="BYTES", shape=(1, len(words)), data=words),),
        facts=(Fact(name="race", value=application.race),),
    )


def _columns(
    names: Mapping[str, str], datatype: str, values: tuple[float, ...] | tuple[int, ...]
) -> tuple[Tensor, ...]:
    cells = zip(names, values, strict=True)
    return tuple(Tensor(name=name, datatype=datatype, shape=(1, 1), data=(value,)) for name, value in cells)
