"""`kill -9` in the middle of a freeze and an evaluation: nothing half is left, and doing it again does it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import select

from gateway.store.schema.learning import DatasetItemRow, DatasetRow, EvaluationRow
from gateway.store.schema.serves import ArtifactRow
from gateway.times import now_us
from review.learning.evaluating import EvaluateTask, evaluate
from review.learning.leftovers import remove_leftovers
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.test_evaluating import add_candidate
from tests.integration.learning.test_evaluating import task as evaluate_task
from tests.killed import Point, killed_at

TABLES = (DatasetRow, DatasetItemRow, EvaluationRow)
FREEZE_AT: Sequence[tuple[Point, int]] = (("rename", 3), ("commit", 1))
EVALUATE_AT: Sequence[tuple[Point, int]] = (("rename", 2), ("commit", 1))
"""Of the files, the last one lacks its name; then every file has it and no row is there."""


async def rows(learning: Learning) -> list[int]:
    """How many rows the tables of learning have."""
    return [await learning.scene.count(table) for table in TABLES]


async def told(learning: Learning, type_: str) -> int:
    """How many events of a type there are."""
    return [event for event, _ in await learning.scene.events()].count(type_)


async def whole(learning: Learning) -> set[str]:
    """Every artifact that lies there, each with the bytes of its name."""
    directory = learning.scene.artifacts.directory
    found = set(directory.digests())
    for digest in found:
        directory.verify(digest)
    return found


def scraps(learning: Learning) -> list[Path]:
    """What killed processes left half made."""
    artifacts = learning.scene.artifacts.directory.root
    return [*artifacts.glob("tmp/*"), *artifacts.parent.glob("freeze-*")]


async def test_a_killed_freeze_or_evaluation_is_cleanly_absent(learning: Learning) -> None:
    """Before its commit there is no row and no event, whatever was named already, and asking again makes the very same;
    after it everything is there, and asking again finds it. What lies about half made is swept away."""
    await learning.many(60)
    await add_candidate(learning)
    freezing = msgspec.json.encode(learning.task())
    for point, number in FREEZE_AT:
        await killed_at(point, number, "review.learning.freezing", text=freezing)
        assert await rows(learning) == [0, 0, 0]
        assert await told(learning, "dataset.frozen") == 0
        await whole(learning)
    assert scraps(learning)
    await remove_leftovers(learning.scene.artifacts.directory.root, before_us=now_us() + 10**9)
    assert scraps(learning) == []

    await killed_at("committed", 1, "review.learning.freezing", text=freezing)
    done = await learning.freeze()
    assert (done.new, await told(learning, "dataset.frozen")) == (False, 1)
    assert await rows(learning) == [1, 60, 0]

    asked = evaluate_task(learning, f"{MODEL}@2", done.dataset)
    await _kill_evaluations(learning, asked)
    again = await evaluate(learning.ledger, asked)
    assert (again.new, await told(learning, "release.evaluated")) == (False, 1)
    assert await rows(learning) == [1, 60, 1]
    async with learning.ledger.reading() as r:
        kept = set((await r.execute(select(ArtifactRow.sha256))).scalars())
    assert kept <= await whole(learning)


async def _kill_evaluations(learning: Learning, asked: EvaluateTask) -> None:
    """Kill before the commit, with nothing to see of it, and then after it."""
    evaluating = msgspec.json.encode(asked)
    for point, number in EVALUATE_AT:
        await killed_at(point, number, "review.learning.evaluating", text=evaluating)
        assert await rows(learning) == [1, 60, 0]
        assert await told(learning, "release.evaluated") == 0
        await whole(learning)
    await killed_at("committed", 1, "review.learning.evaluating", text=evaluating)
