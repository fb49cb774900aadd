"""Where two releases differ about the items of one request. Pure."""

from collections.abc import Sequence

from gateway.answers import Tensors, answers_of
from gateway.labels import Answer, LabelSchema
from gateway.registry.card import Card


def answers_within(schema: LabelSchema, card: Card, outputs: Tensors, items: int) -> list[Answer | None]:
    """What a release says of each item, in the terms of another release's label schema; None where it has no word."""
    return [None if said is None else schema.accepted(said) for said in answers_of(card, outputs, items)]


def differing_items(schema: LabelSchema, one: Sequence[Answer | None], other: Sequence[Answer | None]) -> list[int]:
    """The items, from 1 to n, about which the two differ as the label schema defines it."""
    return [item for item, both in enumerate(zip(one, other, strict=True), start=1) if schema.differs(*both)]
