"""The card: what a model's owner declares about it, in TOML. docs/card.md explains each field with examples."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.context import AllowedContext, context_faults
from gateway.errors import BadRequest
from gateway.inference.wish import SessionWish, wish_faults
from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy, policy_fault
from gateway.registry.reading import faults_in

CARD_MAX_BYTES = 256 * 1024
CONFIRM = "confirm"
"""The list of places that an inspection has guessed; a card is taken when it is empty or gone."""
NO_AXIS = "none"
"""What a card writes for a model whose requests are always one item: TOML has no word for nothing."""


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
    not_finite: Literal["refuse", "null"] = "refuse"
    """NaN and infinity in the outputs beside answer and confidence: a fault, or the model's way of saying nothing."""


class BatchBounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far requests that meet before the model may be joined, and how many may wait."""

    join: bool = True
    """Whether they are joined at all, where admission saw that items do not depend on each other."""
    max_rows: Annotated[int, Meta(ge=1, le=4096)] = 64
    """Items that one run takes together."""
    max_bytes: Annotated[int, Meta(ge=1)] = 16 * 1024 * 1024
    """Bytes of input tensors that one run takes together; a single request may bring more."""
    max_waiting: Annotated[int, Meta(ge=1, le=100_000)] = 256
    """Requests that may wait while the model runs; callers have equal parts of it. Beyond: 503 with Retry-After."""
    max_waiting_bytes: Annotated[int, Meta(ge=1)] = 256 * 1024 * 1024
    """Bytes of input tensors that may wait."""


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
    """The axis of every tensor along which items lie; written "none" when a request is always one item."""
    shown: Annotated[tuple[Shown, ...], Meta(min_length=1)]
    answer: AnswerOutput
    outcome: tuple[OutcomeTensor, ...] = ()
    labels: LabelSchema
    slices: tuple[Slice, ...] = ()
    guideline: Annotated[str, Meta(min_length=1, max_length=20_000)]
    """Markdown that a reviewer reads."""
    four_eyes: bool = False
    context: AllowedContext = msgspec.field(default_factory=AllowedContext)
    policy: Policy = msgspec.field(default_factory=Policy)
    batching: BatchBounds = BatchBounds()
    session: SessionWish = msgspec.field(default_factory=SessionWish)

    @property
    def beside(self) -> frozenset[str]:
        """The names of the inputs that only people see."""
        return frozenset(shown.input for shown in self.shown if shown.beside)


def parse_card(text: str) -> Card:
    """The card in a TOML text. Raises: CardRefused with every fault, each with its place."""
    card, found = read_card(text)
    if card is None or found:
        raise CardRefused(fault=" ".join(found))
    return card


def read_card(text: str) -> tuple[Card | None, tuple[str, ...]]:
    """The card in a TOML text with what is wrong with it, as sentences; no card while it cannot be read as one."""
    if len(text.encode()) > CARD_MAX_BYTES:
        return None, (f"it is larger than {CARD_MAX_BYTES // 1024} KiB.",)
    try:
        written = msgspec.toml.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return None, (f"it is not TOML: {error}.",)
    unconfirmed = _unconfirmed(written.pop(CONFIRM, []))
    if written.get("batch_axis") == NO_AXIS:
        written["batch_axis"] = None
    found = tuple(f"{fault}." for fault in faults_in(written, Card))
    if found:
        return None, (*unconfirmed, *found)
    try:
        card = msgspec.convert(written, Card)
    except msgspec.ValidationError as error:
        return None, (*unconfirmed, f"{error}.")
    return card, (*unconfirmed, *card_faults(card))


def _unconfirmed(places: object) -> tuple[str, ...]:
    """One sentence for each place that an inspection has guessed and nobody has looked at yet."""
    if not isinstance(places, list) or not all(isinstance(place, str) for place in places):
        return (f"{CONFIRM}: expected a list of places.",)
    return tuple(f"{place}: still to confirm; look at it, then take it off the list '{CONFIRM}'." for place in places)


def card_faults(card: Card) -> Iterator[str]:
    """Whatever contradicts itself in a card, as sentences."""
    for category in card.labels.owners.keys() - set(card.labels.reasons):
        yield f"labels.owners names '{category}', which is not among labels.reasons."
    if card.labels.kind == "choice":
        yield from _choice_faults(card)
    if card.policy.safe_value is not None:
        try:
            card.labels.validated(card.policy.safe_value)
        except BadRequest as error:
            yield f"policy.safe_value: {error}"
    if fault := policy_fault(card.policy):
        yield fault
    yield from context_faults(card.context)
    yield from wish_faults(card.session)


def card_warnings(card: Card) -> tuple[str, ...]:
    """What to know about a card that is taken, as sentences."""
    unowned = ", ".join(card.labels.unowned)
    told = f"labels.owners names nobody for {unowned}: the gate refuses releases whose errors nobody owns."
    return (told,) if unowned else ()


def _choice_faults(card: Card) -> Iterator[str]:
    values = [choice.value for choice in card.labels.choices]
    if len(values) < 2:
        yield "labels.choices must list at least two choices."
    if len(set(values)) != len(values):
        yield "labels.choices lists a value twice."
    keys = [choice.key for choice in card.labels.choices if choice.key]
    if len(set(keys)) != len(keys):
        yield "labels.choices gives one key to two choices."
    for name in card.answer.classes:
        if name not in values:
            yield f"answer.classes names '{name}', which is not among labels.choices."
    if card.answer.takes != "value" and not card.answer.classes:
        yield f"answer.classes must give the class order, because answer.takes is '{card.answer.takes}'."
