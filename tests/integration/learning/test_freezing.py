"""Freezing outcomes on both databases: what goes in, what stays out, and what the bytes depend on."""

import asyncio
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, select, update

from gateway.store.schema.learning import DatasetItemRow
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.serves import ArtifactRow
from gateway.store.schema.work import OutcomeRow, OutcomeUndoneRow
from review.actors import Actor
from review.errors import NotAllowed
from review.learning.datasets import Places, diff_datasets, freeze_model, list_datasets, show_dataset
from review.learning.errors import AnswersOutsideSchema, DatasetEmpty, UnknownDataset
from review.learning.freezing import Frozen, freeze
from tests.integration.learning.conftest import MODEL, Learning
from tests.outcomes import Settled, numbers
from tests.worlds import START_US

OTHER = [0.5, 0.25, 0.0, 1.0]


def rows_of(learning: Learning, sha256: str) -> list[dict[str, Any]]:
    """The rows of a Parquet file among the artifacts."""
    return list(pq.read_table(learning.scene.artifacts.directory.path(sha256)).to_pylist())


def items_of(learning: Learning, frozen: Frozen) -> list[dict[str, Any]]:
    """The items of a dataset."""
    return rows_of(learning, frozen.manifest.items.sha256)


async def add_outcome(learning: Learning, prediction: str, revision: int, source: str, answer: str) -> None:
    """A further revision of the outcome of a prediction's first item."""
    async with learning.ledger.writing() as w:
        await w.execute(
            insert(OutcomeRow).values(
                prediction_id=UUID(prediction), item=1, revision=revision, case_id=None, round=None, source=source,
                status="answered", answer=f'"{answer}"', differs=True, release_after_us=START_US, supersedes=None,
                created_us=START_US + revision,
            )
        )  # fmt: skip


async def test_a_dataset_holds_each_item_with_all_that_is_known_of_it(learning: Learning) -> None:
    """Input, answer, what the model said, kind, probability, slices and split; every verdict beside it."""
    request = Settled(
        inputs=numbers([1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 0.5, 0.25]), answers=("a", "c"), said=("a", "b"),
        scores=(0.9, 0.4), facts={"shop": "north"}, people=2,
    )  # fmt: skip
    (prediction,) = await learning.settle(request)
    frozen = await learning.freeze()
    first, second = items_of(learning, frozen)
    assert (first["prediction"], first["item"], second["item"]) == (prediction, 1, 2)
    assert second["input.x"] == [-1.0, 0.0, 0.5, 0.25]
    assert second["shape.x"] == [4]
    assert [second[name] for name in ("answer", "said", "score", "kind", "inclusion_probability", "source")] == [
        '"c"', '"b"', 0.4, "hold", 1.0, "people",
    ]  # fmt: skip
    assert (second["slice.size"], second["slice.shop"]) == ("below 0", "north")
    verdicts = rows_of(learning, frozen.manifest.annotations.sha256)
    assert [(row["item"], row["answer"], row["effective"]) for row in verdicts] == [
        (1, '"a"', True), (1, '"a"', True), (2, '"c"', True), (2, '"c"', True),
    ]  # fmt: skip
    assert len({row["person"] for row in verdicts}) == 2
    assert all(row["person"].startswith("person-") for row in verdicts)


async def test_the_same_outcomes_are_the_same_dataset(learning: Learning) -> None:
    """Freezing again finds the dataset, with the same bytes and no second row or event."""
    await learning.many(60)
    one, other = await learning.freeze(), await learning.freeze()
    assert (one.new, other.new) == (True, False)
    assert one.dataset == other.dataset
    events = [event for event in await learning.scene.events() if event[0] == "dataset.frozen"]
    assert events == [("dataset.frozen", f"model:{MODEL}")]
    async with learning.ledger.reading() as r:
        kept = {row[0]: row[1] for row in await r.execute(select(ArtifactRow.sha256, ArtifactRow.kind))}
        splits = list((await r.execute(select(DatasetItemRow.split))).scalars())
    files = (one.dataset, one.manifest.items.sha256, one.manifest.annotations.sha256)
    assert [kept[file] for file in files] == ["data", "data", "annotations"]
    assert {name: splits.count(name) for name in ("train", "held_out")} == one.manifest.splits
    assert one.manifest.splits["held_out"] > 0


async def test_the_best_truth_of_an_item_is_frozen(learning: Learning) -> None:
    """Adjudication beats ground truth, which beats people, however late they came; what was undone is nothing."""
    first, second, third = await learning.many(3)
    await add_outcome(learning, first, 2, "adjudication", "c")
    await add_outcome(learning, first, 3, "truth:lab", "b")
    await add_outcome(learning, second, 2, "truth:lab", "a")
    await add_outcome(learning, third, 2, "adjudication", "a")
    async with learning.ledger.writing() as w:
        undone = {"by": "person:ada@example.org", "why": "a slip", "released": True, "undone_us": START_US}
        await w.execute(insert(OutcomeUndoneRow).values(prediction_id=UUID(third), item=1, revision=2, **undone))
    found = {row["prediction"]: row for row in items_of(learning, await learning.freeze())}
    assert [(found[each]["answer"], found[each]["outcome_revision"]) for each in (first, second, third)] == [
        ('"c"', 2), ('"a"', 2), ('"c"', 1),
    ]  # fmt: skip


async def test_what_was_erased_is_left_out_and_counted(learning: Learning) -> None:
    """An item whose payload is erased, past its retention or gone is not frozen, nor are the verdicts on it."""
    erased, expired, _kept = await learning.many(3)
    async with learning.ledger.writing() as w:
        for prediction, values in ((erased, {"erased_us": START_US}), (expired, {"expires_us": START_US})):
            payload = select(PredictionRow.input_payload_id).where(PredictionRow.id == UUID(prediction))
            await w.execute(update(PayloadRow).where(PayloadRow.id == payload.scalar_subquery()).values(**values))
    frozen = await learning.freeze()
    assert frozen.manifest.left_out == {"payload_erased": 1, "payload_expired": 1}
    assert (frozen.manifest.items.rows, frozen.manifest.annotations.rows) == (1, 1)


async def test_a_choice_of_outcomes_by_time_and_kind(learning: Learning) -> None:
    """`since` takes what was settled from then on, `kinds` what those cases were; nothing at all is refused."""
    await learning.settle(Settled(inputs=numbers(OTHER), answers=("a",), kind="audit", probability=0.1))
    await learning.many(5)
    audits = await learning.freeze(kinds=["audit"])
    assert audits.manifest.kinds == {"audit": 1}
    assert items_of(learning, audits)[0]["inclusion_probability"] == 0.1
    with pytest.raises(DatasetEmpty):
        await learning.freeze(since_us=START_US + 1)


async def test_an_answer_that_the_schema_does_not_know_is_refused(learning: Learning) -> None:
    """The refusal names how many there are, and nothing is kept."""
    await learning.settle(Settled(inputs=numbers(OTHER), answers=("z",)))
    with pytest.raises(AnswersOutsideSchema) as refused:
        await learning.freeze()
    assert refused.value.fields["count"] == 1
    assert await learning.scene.count(DatasetItemRow) == 0


async def test_a_difference_names_what_came_what_went_and_what_changed(learning: Learning) -> None:
    """Between two datasets, with the answers before and after."""
    _same, changing = await learning.many(2)
    one = await learning.freeze()
    await add_outcome(learning, changing, 2, "adjudication", "c")
    (came,) = await learning.settle(Settled(inputs=numbers(OTHER), answers=("a",), kind="audit", probability=0.5))
    other = await learning.freeze()
    async with learning.ledger.reading() as r:
        found = await diff_datasets(r, learning.scene.tenant_id, one.dataset[:10], other.dataset)
        back = await diff_datasets(r, learning.scene.tenant_id, other.dataset, one.dataset)
        lines = await list_datasets(r, learning.scene.tenant_id, MODEL)
        with pytest.raises(UnknownDataset):
            await show_dataset(r, learning.scene.tenant_id, "no such")
    assert (found.came, found.went, found.changed) == (1, 0, 1)
    assert [(str(each.prediction), each.before, each.after) for each in found.items] == [
        (came, None, "a"), (changing, "b", "c"),
    ]  # fmt: skip
    assert (back.came, back.went, back.changed) == (0, 1, 1)
    assert {line.dataset for line in lines} == {one.dataset, other.dataset}


async def test_a_child_process_freezes_for_an_operator(learning: Learning) -> None:
    """The child's dataset is the one this process makes; its refusals come back as themselves; reviewers may not."""
    places = Places(payloads_url=str(learning.where.objects), artifacts=learning.scene.artifacts)
    actor = Actor(
        kind="person", id=learning.where.people[0], name="Ada", email="ada@example.org",
        tenant_id=learning.scene.tenant_id, roles=frozenset({("operator", None)}),
    )  # fmt: skip
    with pytest.raises(DatasetEmpty):
        await freeze_model(learning.ledger, places, actor, MODEL)
    await learning.many(4)
    frozen = await freeze_model(learning.ledger, places, actor, MODEL)
    assert (frozen.new, (await learning.freeze()).dataset) == (True, frozen.dataset)
    reviewer = Actor(**{**_fields(actor), "roles": frozenset({("reviewer", None)})})
    with pytest.raises(NotAllowed):
        await freeze_model(learning.ledger, places, reviewer, MODEL)


async def test_what_another_process_reads_ahead_is_the_same_dataset(learning: Learning) -> None:
    """Outcomes and verdicts come whole and in order through it; a freeze that is refused leaves no process behind."""
    await learning.many(30)
    ahead = await freeze(learning.ledger, learning.task(), ahead_from=0)
    assert (ahead.manifest.items.rows, ahead.manifest.annotations.rows) == (30, 30)
    here = await learning.freeze()
    assert (here.dataset, here.new) == (ahead.dataset, False)
    with pytest.raises(DatasetEmpty):
        await freeze(learning.ledger, learning.task(since_us=START_US + 10**9), ahead_from=0)


async def test_two_who_freeze_at_once_get_one_dataset(learning: Learning) -> None:
    """One of them finds what the other has written."""
    await learning.many(4)
    one, other = await asyncio.gather(learning.freeze(), learning.freeze())
    assert one.dataset == other.dataset
    assert sorted((one.new, other.new)) == [False, True]


def _fields(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in actor.__struct_fields__}
