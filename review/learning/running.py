"""Runs a release over the held-out items of a dataset, in batches, as the gateway would have answered them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gateway.inference.session import OnnxSession
from gateway.labels import Answer, LabelSchema
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.signature import Signature
from gateway.registry.card import Card
from review.learning.heard import Said
from review.learning.parquet import columns_of, read_rows
from review.learning.saying import run_batch
from review.learning.scores import Answers, weights_of

BATCH = 256
PLAIN = ("prediction", "item", "input_sha256", "answer", "kind", "inclusion_probability")


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
    for feeds in batches_of(session.signature, items):
        said += run_batch(session, card, feeds)
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


def batches_of(signature: Signature, items: Path) -> Iterator[list[dict[str, Tensor]]]:
    """The inputs of the held-out items, some at a time, without the batch axis."""
    specs = {spec.name: NUMPY[spec.datatype] for spec in signature.inputs}
    columns = [f"{place}.{name}" for name in specs for place in ("input", "shape")]
    for batch in read_rows(items, columns, split="held_out"):
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        feeds = [
            {name: np.array(row[f"input.{name}"], dtype).reshape(row[f"shape.{name}"]) for name, dtype in specs.items()}
            for row in rows
        ]
        yield from (feeds[start : start + BATCH] for start in range(0, len(feeds), BATCH))
