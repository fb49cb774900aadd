"""Collects a dataset's items: of each item its truth, its input, and what validation has to know of all of them.

Memory stays small: rows go to their file as they come, and of a million items only some numbers are kept.
"""

from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from gateway.holding.payload import InputPayload, decode_input
from gateway.holding.ranking import truth_among
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.signature import Signature
from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import LocalObjects, ObjectStore
from gateway.registry.card import Card
from review.learning.errors import AnswersOutsideSchema, InputsDiffer
from review.learning.parquet import ParquetWriter
from review.learning.splits import folded_digests, item_digests, item_rows, slice_values, split_of
from review.learning.validation import Columns
from review.store.material import FoundOutcome, id_text

NEVER_A_CASE = "report"
"""The kind of an item that was never a case: somebody else said what it is."""


_NAN = float("nan")
_prediction = attrgetter("prediction_id")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which outcomes a dataset takes, and how they are read."""

    model: str
    card: Card
    signature: Signature
    since_us: int
    kinds: frozenset[str]
    now_us: int


class Tally:
    """What is known of all items together."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.outside: Counter[str] = Counter()
        """Predictions with an answer that the label schema does not know, by id."""
        self._answers: dict[str, int] = {}
        self._names, self._items = bytearray(), array("i")
        self._inputs, self._folded = array("Q"), array("Q")
        self._answer, self._said, self._score = array("q"), array("q"), array("d")
        self._held_out = bytearray()

    def add(
        self, items: Sequence[FoundOutcome], digests: Sequence[str], folded: Sequence[str], splits: Sequence[str]
    ) -> None:
        """Count the items of a prediction in, each with its digests and its split."""
        self._names += items[0].prediction_id * len(items)
        self.splits.update(splits)
        self.kinds.update(found.kind or NEVER_A_CASE for found in items)
        self.sources.update(found.source for found in items)
        self.classes.update(found.answer or "" for found in items)
        self._items.extend(found.item for found in items)
        self._inputs.extend(int(digest[:16], 16) for digest in digests)
        self._folded.extend(int(digest[:16], 16) for digest in folded)
        self._answer.extend(self._number(found.answer) for found in items)
        self._said.extend(self._number(found.said) for found in items)
        self._score.extend(_NAN if found.score is None else found.score for found in items)
        self._held_out.extend(split == "held_out" for split in splits)

    def columns(self) -> Columns:
        """The columns that validation looks at."""
        return Columns(
            name_of=lambda index: f"{id_text(bytes(self._names[16 * index : 16 * index + 16]))}/{self._items[index]}",
            inputs=np.frombuffer(self._inputs, dtype=np.uint64),
            folded=np.frombuffer(self._folded, dtype=np.uint64),
            answers=np.frombuffer(self._answer, dtype=np.int64),
            said=np.frombuffer(self._said, dtype=np.int64),
            scores=np.frombuffer(self._score, dtype=np.float64),
            held_out=np.frombuffer(self._held_out, dtype=np.bool_),
        )

    def _number(self, answer: str | None) -> int:
        return -1 if answer is None else self._answers.setdefault(answer, len(self._answers))


class Collector:
    """Takes outcomes in the order of their items and writes the items file."""

    def __init__(self, wanted: Wanted, objects: ObjectStore, writer: ParquetWriter) -> None:
        self.tally = Tally()
        self._wanted, self._objects, self._writer = wanted, objects, writer
        self._valid: dict[str, bool] = {}
        self._inputs = {spec.name: spec.datatype for spec in wanted.signature.inputs}

    async def collect(self, pages: AsyncIterator[Sequence[FoundOutcome]]) -> None:
        """Write every item that is wanted. Raises: AnswersOutsideSchema, InputsDiffer."""
        waiting: list[FoundOutcome] = []
        async for page in pages:
            waiting.extend(page)
            last = waiting[-1].prediction_id
            whole = next(at for at, found in enumerate(waiting) if found.prediction_id == last)
            await self._take(waiting[:whole])
            del waiting[:whole]
        await self._take(waiting)
        if self.tally.outside:
            first = min(self.tally.outside)
            raise AnswersOutsideSchema(count=self.tally.outside.total(), prediction=first)

    async def _take(self, outcomes: list[FoundOutcome]) -> None:
        for prediction, group in groupby(outcomes, key=_prediction):
            kept = [found for found in _truths(list(group)) if self._is_kept(found)]
            if kept:
                await self._write(id_text(prediction), kept)

    def _is_kept(self, found: FoundOutcome) -> bool:
        wanted = self._wanted
        if found.created_us < wanted.since_us or (wanted.kinds and (found.kind or NEVER_A_CASE) not in wanted.kinds):
            return False
        why = self._left_out(found)
        if why:
            self.tally.left_out[why] += 1
            return False
        if not self._is_valid(found.answer or ""):
            self.tally.outside[id_text(found.prediction_id)] += 1
        return True

    def _left_out(self, found: FoundOutcome) -> str:
        """Why an outcome cannot be frozen; empty when it can."""
        if found.status == "unanswerable" or found.answer is None:
            return "unanswerable"
        if found.payload is None:
            return "payload_missing"
        if found.erased_us is not None:
            return "payload_erased"
        expired = found.expires_us is not None and found.expires_us <= self._wanted.now_us
        return "payload_expired" if expired else ""

    def _is_valid(self, answer: str) -> bool:
        if answer not in self._valid:
            accepted = self._wanted.card.labels.accepted(msgspec.json.decode(answer))
            self._valid[answer] = accepted is not None
        return self._valid[answer]

    async def _write(self, prediction: str, found: list[FoundOutcome]) -> None:
        """Write the items of one prediction."""
        payload = await self._payload(found[0].payload or "")
        if payload is None:
            self.tally.left_out["payload_missing"] += len(found)
            return
        items, axis, card = found[0].items, self._wanted.card.batch_axis, self._wanted.card
        self._check(prediction, payload.inputs)
        inputs = {name: item_rows(payload.inputs[name], items, axis) for name in self._inputs}
        beside = {name: item_rows(tensor, items, axis) for name, tensor in payload.beside.items()}
        digests = item_digests(inputs, items)
        folded = folded_digests(inputs, items, digests)
        facts = msgspec.json.decode(found[0].facts) if card.slices else {}
        slices = [slice_values(each, inputs | beside, facts, items) for each in card.slices]
        chosen = [each.item - 1 for each in found]
        splits = [split_of(digests[at]) for at in chosen]
        self.tally.add(found, [digests[at] for at in chosen], [folded[at] for at in chosen], splits)
        of_slices = list(zip(*slices, strict=True)) or [()] * items
        rows = [
            (*_plain(prediction, each, digests[at], split), *of_slices[at])
            for each, at, split in zip(found, chosen, splits, strict=True)
        ]
        tensors = {f"input.{key}": tensor[chosen] for key, tensor in inputs.items()}
        tensors |= {f"beside.{key}": tensor[chosen] for key, tensor in beside.items()}
        self._writer.add(rows, tensors)

    def _check(self, prediction: str, inputs: dict[str, Tensor]) -> None:
        for name, datatype in self._inputs.items():
            if name not in inputs or datatype_of(inputs[name]) != datatype:
                raise InputsDiffer(name=name, prediction=prediction, model=self._wanted.model)

    async def _payload(self, sha256: str) -> InputPayload | None:
        try:
            # Nothing else waits in this process, so a local object is read without a trip to a thread.
            if isinstance(self._objects, LocalObjects):
                return decode_input(self._objects.directory.get(sha256))
            return decode_input(await self._objects.get(sha256))
        except (UnknownObject, DamagedObject):
            return None


def _truths(revisions: list[FoundOutcome]) -> Iterator[FoundOutcome]:
    """What is true of each item of a prediction."""
    if len({found.item for found in revisions}) == len(revisions):  # nearly always: one revision an item
        return iter(revisions)
    of_items = groupby(revisions, key=attrgetter("item"))
    return filter(None, (truth_among(each) for _item, each in of_items))


def _plain(name: str, found: FoundOutcome, digest: str, split: str) -> tuple[Any, ...]:
    """The columns of an item that are not tensors or slices, in the order of the schema."""
    kind = found.kind or NEVER_A_CASE
    probability = found.inclusion_probability
    if probability is None and kind == "hold":
        probability = 1.0
    return (
        name, found.item, digest, found.answer, kind, probability, found.revision, found.source, found.verdicts,
        found.said, found.score, found.decided_us, found.created_us, split,
    )  # fmt: skip
