"""What a model says of items whose tensors come without the batch axis, as the gateway would have answered them."""

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.answers import answers_of, scores_of
from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.session import OnnxSession
from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import Signature
from gateway.registry.card import Card
from review.learning.heard import Said


def run_batch(session: OnnxSession, card: Card, feeds: Sequence[dict[str, Tensor]]) -> list[Said]:
    """What the model says of each item; one by one where it takes no batch of them."""
    together = stacked(session.signature, card, feeds)
    if together is not None:
        try:
            return _say(session, card, together, len(feeds))
        except (ModelFailed, ModelRefusedValues):
            pass  # one bad item must not take the answers of the others
    return [run_one(session, card, each) for each in feeds]


def run_one(session: OnnxSession, card: Card, feed: Mapping[str, Tensor]) -> Said:
    """Answer and score of one item, whose tensors come without the batch axis; None where the model gives none."""
    feeds, items = alone(session.signature, card, feed)
    try:
        return _say(session, card, feeds, items)[0]
    except (ModelFailed, ModelRefusedValues):
        return None, None


def stacked(signature: Signature, card: Card, feeds: Sequence[dict[str, Tensor]]) -> dict[str, Tensor] | None:
    """The items as one request, an item a row of each tensor; none where the model takes no such request."""
    alike = len({tuple(tensor.shape for tensor in each.values()) for each in feeds}) == 1
    free = all(spec.shape and spec.shape[0] < 0 for spec in signature.inputs)
    if card.batch_axis is None or not alike or not free:
        return None
    return {name: np.stack([each[name] for each in feeds]) for name in feeds[0]}


def alone(signature: Signature, card: Card, feed: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], int]:
    """One item as a request, and how many rows that has: the item repeated where the model takes a fixed number."""
    if card.batch_axis is None:
        return dict(feed), 1
    shapes = {spec.name: spec.shape for spec in signature.inputs}
    rows = {
        name: np.repeat(row[np.newaxis], max(1, shapes[name][0] if shapes[name] else 1), axis=0)
        for name, row in feed.items()
    }
    return rows, next(iter(rows.values())).shape[0]


def said_in(card: Card, outputs: Mapping[str, Tensor], items: int) -> list[Said]:
    """Answer and score of each item, from the outputs of a request with so many rows."""
    answers = answers_of(card, outputs, items)
    return list(zip(answers, scores_of(card, outputs, answers), strict=True))


def _say(session: OnnxSession, card: Card, feeds: Mapping[str, Tensor], items: int) -> list[Said]:
    return said_in(card, session.run(feeds), items)
