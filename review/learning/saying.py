"""What a model says of items whose tensors come without the batch axis, as the gateway would have answered them."""

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.answers import answers_of, scores_of
from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.session import OnnxSession
from gateway.labels import Answer
from gateway.protocol.datatypes import Tensor
from gateway.registry.card import Card

Said = tuple[Answer | None, float | None]
"""Answer and score; None where the model gives none."""


def run_batch(session: OnnxSession, card: Card, feeds: Sequence[dict[str, Tensor]]) -> list[Said]:
    """What the model says of each item; one by one where it takes no batch of them."""
    alike = len({tuple(tensor.shape for tensor in each.values()) for each in feeds}) == 1
    free = all(spec.shape and spec.shape[0] < 0 for spec in session.signature.inputs)
    if card.batch_axis is not None and alike and free:
        together = {name: np.stack([each[name] for each in feeds]) for name in feeds[0]}
        try:
            return _say(session, card, together, len(feeds))
        except (ModelFailed, ModelRefusedValues):
            pass  # one bad item must not take the answers of the others
    return [run_one(session, card, each) for each in feeds]


def run_one(session: OnnxSession, card: Card, feed: Mapping[str, Tensor]) -> Said:
    """Answer and score of one item, whose tensors come without the batch axis; None where the model gives none."""
    feeds = dict(feed) if card.batch_axis is None else {name: _alone(session, name, feed[name]) for name in feed}
    items = 1 if card.batch_axis is None else next(iter(feeds.values())).shape[0]
    try:
        return _say(session, card, feeds, items)[0]
    except (ModelFailed, ModelRefusedValues):
        return None, None


def _alone(session: OnnxSession, name: str, row: Tensor) -> Tensor:
    """The row with its batch axis, repeated where the model takes a fixed number of rows."""
    shape = next(spec.shape for spec in session.signature.inputs if spec.name == name)
    return np.repeat(row[np.newaxis], max(1, shape[0] if shape else 1), axis=0)


def _say(session: OnnxSession, card: Card, feeds: Mapping[str, Tensor], items: int) -> list[Said]:
    outputs = session.run(feeds)
    answers = answers_of(card, outputs, items)
    return list(zip(answers, scores_of(card, outputs, answers), strict=True))
