"""Runs a release over the held-out items of a dataset, in batches, as the gateway would have answered them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gateway.answers import answers_of, scores_of
from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.session import OnnxSession
from gateway.labels import Answer, LabelSchema
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.registry.card import Card
from review.learning.parquet import columns_of, read_rows
from review.learning.scores import Answers, weights_of

BATCH = 256
PLAIN = ("prediction", "item", "input_sha256", "answer", "kind", "inclusion_probability")
Said = tuple[Answer | None, float | None]


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """The held-out items: everything but their inputs, one element an item."""

    prediction: list[str]
    item: list[int]
    digests: list[str]
    truth: list[Answer]
    kinds: list[str]
    probabilities: list[float | None]
    slices: dict[str, list[str]]


def read_held_out(items: Path) -> HeldOut:
    """The held-out items of an items file."""
    slices = [name for name in columns_of(items) if name.startswith("slice.")]
    columns: dict[str, list[Any]] = {name: [] for name in (*PLAIN, *slices)}
    for batch in read_rows(items, tuple(columns), split="held_out"):
        for name, values in batch.items():
            columns[name] += values
    return HeldOut(
        prediction=columns["prediction"],
        item=columns["item"],
        digests=columns["input_sha256"],
        truth=[msgspec.json.decode(answer, type=Answer) for answer in columns["answer"]],
        kinds=columns["kind"],
        probabilities=columns["inclusion_probability"],
        slices={name.removeprefix("slice."): columns[name] for name in slices},
    )


def run_over(session: OnnxSession, card: Card, items: Path) -> list[Said]:
    """Answer and score of each held-out item of an items file, in its order; None where the model gives none."""
    said: list[Said] = []
    for feeds in _batches(session, items):
        said += _run(session, card, feeds)
    return said


def judged(held_out: HeldOut, said: Sequence[Said], labels: LabelSchema) -> Answers:
    """The answers beside the truth; two answers are equal as the label schema has it."""
    right = [not labels.differs(answer, truth) for (answer, _), truth in zip(said, held_out.truth, strict=True)]
    return Answers(
        truth=[shown(truth) for truth in held_out.truth],
        said=[shown(answer) for answer, _ in said],
        right=np.array(right, dtype=bool),
        scores=np.array([np.nan if score is None else score for _, score in said], dtype=np.float64),
        weights=weights_of(held_out.kinds, held_out.probabilities),
    )


def shown(answer: Answer | None) -> str:
    """An answer as a text; empty for none."""
    if answer is None:
        return ""
    return answer if isinstance(answer, str) else f"{answer:g}"


def _batches(session: OnnxSession, items: Path) -> Iterator[list[dict[str, Tensor]]]:
    """The inputs of the held-out items, some at a time."""
    specs = {spec.name: NUMPY[spec.datatype] for spec in session.signature.inputs}
    columns = [f"{place}.{name}" for name in specs for place in ("input", "shape")]
    for batch in read_rows(items, columns, split="held_out"):
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        feeds = [
            {name: np.array(row[f"input.{name}"], dtype).reshape(row[f"shape.{name}"]) for name, dtype in specs.items()}
            for row in rows
        ]
        yield from (feeds[start : start + BATCH] for start in range(0, len(feeds), BATCH))


def _run(session: OnnxSession, card: Card, feeds: list[dict[str, Tensor]]) -> list[Said]:
    """What the model says of each item; one by one where it takes no batch of them."""
    alike = len({tuple(tensor.shape for tensor in each.values()) for each in feeds}) == 1
    free = all(spec.shape and spec.shape[0] < 0 for spec in session.signature.inputs)
    if card.batch_axis is not None and alike and free:
        together = {name: np.stack([each[name] for each in feeds]) for name in feeds[0]}
        try:
            return _say(session, card, together, len(feeds))
        except (ModelFailed, ModelRefusedValues):
            pass  # one bad item must not take the answers of the others
    return [_run_one(session, card, each) for each in feeds]


def _run_one(session: OnnxSession, card: Card, feed: Mapping[str, Tensor]) -> Said:
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
