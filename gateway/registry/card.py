"""The card: what a model's owner declares about it, in TOML. docs/card.md explains each field with examples."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.errors import BadRequest
from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy, policy_fault

CARD_MAX_BYTES = 256 * 1024


class CardRefused(BadRequest):
    """The card is not right: {fault}"""

    code = "card-refused"


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for the model, what it is for and what it is not for."""

    owner: Annotated[str, Meta(min_length=1)]
    contact: Annotated[str, Meta(min_length=1)]
    intended_use: Annotated[str, Meta(min_length=1)]
    limitations: Annotated[str, Meta(min_length=1)]
    truth: str = ""
    """Where truth comes from, such as 'the lender's historic decision'."""


class Inverse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a tensor becomes something a person can read."""

    kind: Literal["none", "scaler", "vocabulary"] = "none"
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    """A shown number is `tensor * scale + mean`, by column."""
    vocabulary: tuple[str, ...] = ()
    """A shown token is `vocabulary[tensor]`."""


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input as it is put before a person: a tensor of the model, or one sent beside them for display."""

    input: str
    kind: Literal["text", "image", "table", "json"]
    title: str = ""
    beside: bool = False
    """True for an input that only people see: it is sent with the tensors and never fed to the model."""
    datatype: str = "BYTES"
    """The datatype of an input sent beside the tensors."""
    columns: tuple[str, ...] = ()
    """Column titles of a table."""
    width: int | None = None
    height: int | None = None
    channels_first: bool = True
    minimum: float = 0.0
    maximum: float = 255.0
    """The pixel values that are shown black and white."""
    inverse: Inverse = Inverse()


class AnswerOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which output is the answer, and where its confidence comes from."""

    output: str
    takes: Literal["value", "argmax", "threshold"] = "value"
    """The output itself, the class with the largest number in it, or the second class from `threshold` on."""
    threshold: float = 0.5
    confidence: str | None = None
    """The output with one number a class; the score of an item is the number of the class that was answered."""
    confidence_is: Literal["of_answer", "max", "value"] = "of_answer"
    classes: tuple[str, ...] = ()
    """The class order of `confidence` and of an `argmax`."""


class OutcomeTensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an outcome becomes an output tensor, so that no corrected answer contradicts itself."""

    output: str
    becomes: Literal["answer", "one_hot", "class_index", "constant", "keep"]
    """The answer itself, 1 at its class and 0 elsewhere, its position in `classes`, `value`, or the model's own."""
    value: Answer | None = None


class Slice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named split of the traffic for evaluation and fairness: by an input, or by a parameter of the request."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    input: str | None = None
    parameter: str | None = None
    edges: tuple[float, ...] = ()
    """Cuts a number into ranges; without them each value is a slice."""


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an owner declares about a model."""

    about: About
    batch_axis: Literal[0] | None = 0
    """The axis of every tensor along which items lie; none when a request is always one item."""
    shown: Annotated[tuple[Shown, ...], Meta(min_length=1)]
    answer: AnswerOutput
    outcome: tuple[OutcomeTensor, ...] = ()
    labels: LabelSchema
    slices: tuple[Slice, ...] = ()
    guideline: Annotated[str, Meta(min_length=1, max_length=20_000)]
    """Markdown that a reviewer reads."""
    four_eyes: bool = False
    policy: Policy = Policy()

    @property
    def beside(self) -> frozenset[str]:
        """The names of the inputs that only people see."""
        return frozenset(shown.input for shown in self.shown if shown.beside)


def parse_card(text: str) -> Card:
    """The card in a TOML text. Raises: CardRefused with the place and what was expected there."""
    if len(text.encode()) > CARD_MAX_BYTES:
        raise CardRefused(fault=f"it is larger than {CARD_MAX_BYTES // 1024} KiB.")
    try:
        card = msgspec.toml.decode(text, type=Card)
    except (msgspec.DecodeError, ValueError) as error:
        raise CardRefused(fault=str(error)) from error
    if fault := card_fault(card):
        raise CardRefused(fault=fault)
    return card


def card_fault(card: Card) -> str | None:
    """What contradicts itself in a card, as a sentence; None when nothing does."""
    if card.labels.kind == "choice" and (fault := _choice_fault(card)):
        return fault
    if card.policy.safe_value is not None:
        try:
            card.labels.validated(card.policy.safe_value)
        except BadRequest as error:
            return f"policy.safe_value: {error}"
    return policy_fault(card.policy)


def _choice_fault(card: Card) -> str | None:
    values = [choice.value for choice in card.labels.choices]
    if len(values) < 2:
        return "labels.choices must list at least two choices."
    if len(set(values)) != len(values):
        return "labels.choices lists a value twice."
    keys = [choice.key for choice in card.labels.choices if choice.key]
    if len(set(keys)) != len(keys):
        return "labels.choices gives one key to two choices."
    unknown = [name for name in card.answer.classes if name not in values]
    if unknown:
        return f"answer.classes names '{unknown[0]}', which is not among labels.choices."
    if card.answer.takes != "value" and not card.answer.classes:
        return f"answer.classes must give the class order, because answer.takes is '{card.answer.takes}'."
    return None
