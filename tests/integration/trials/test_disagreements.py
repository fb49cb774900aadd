"""Disagreement cases from the traffic log: each drawn difference once, every run counted once."""

from pathlib import Path

from sqlalchemy import select

from gateway.store.schema.predictions import DeliveryRow, PredictionRow
from gateway.store.segments import LedgerCursors, LedgerSegments
from review.desk.expire import supersede_disagreements
from review.disagreements import CONSUMER
from review.jobs import JobParts, supersede
from review.store.tallies import Runs, runs_of
from review.traffic.query import TrafficReader
from review.traffic.seal import Sealer
from tests.integration.trials.scene import Scene
from tests.killed import Point, killed_at
from tests.trials import close_trial

KILLED_AT: tuple[tuple[Point, int], ...] = (("committed", 1), ("commit", 2))


async def counted(scene: Scene) -> Runs:
    """The trial's counts."""
    async with scene.ledger.reading() as r:
        return await runs_of(r, scene.trial.id)


async def test_each_drawn_difference_becomes_a_case_once(scene: Scene) -> None:
    """The case has both answers, both releases, its probability and draw; following twice makes nothing new."""
    async with scene.recording() as log:
        prediction = await log.answered(["positive", "negative", None])
        await log.answered(["negative"])
        await log.answered(["neutral"], draw=0.75, probability=0.5)
    assert (await scene.follow(), await scene.follow()) == (2, 0)
    first, second = await scene.cases()
    assert (first.prediction_id, first.item, second.item) == (prediction, 1, 3)
    assert (first.answer, first.evidence, second.evidence) == ('"negative"', '{"other":"positive"}', "{}")
    assert (first.release_id, first.other_release_id) == (scene.world.release_id, scene.trial.candidate_id)
    assert (first.rule, first.inclusion_probability, first.draw) == (f"trial:{scene.trial.id}", 1.0, 0.25)
    async with scene.ledger.reading() as r:
        row = (await r.execute(select(PredictionRow))).scalar_one()
        told = list((await r.execute(select(DeliveryRow.kind))).scalars())
    assert (row.path, row.open, bool(row.input_payload_id), told) == ("shadow", False, True, ["answer"])


async def test_runs_are_counted_with_the_cursor(scene: Scene) -> None:
    """Compared items, differences drawn or not, and runs that came to nothing: each once, however often one looks."""
    async with scene.recording() as log:
        await log.answered(["positive", "negative"])
        await log.answered(["neutral"], draw=0.75, probability=0.5)
        for status in ("dropped", "failed", "timed_out"):
            await log.missed(status)  # type: ignore[arg-type]
    await scene.follow()
    await scene.follow()
    assert await counted(scene) == Runs(compared=3, disagreements=2, missing=3)


async def test_a_difference_whose_payload_is_gone_is_counted_and_asks_nobody(scene: Scene) -> None:
    """What cannot be shown makes no case, and the runs after it are read."""
    async with scene.recording() as log:
        await log.answered(["positive"], keep=False)
        await log.answered(["positive"])
    assert await scene.follow() == 1
    assert (await counted(scene)).disagreements == 2


async def test_a_trial_that_has_ended_asks_nobody(scene: Scene) -> None:
    """Its undecided disagreements are superseded by the worker, and what the log tells later is only counted."""
    (case_id,) = await scene.disagree("positive")
    async with scene.ledger.writing() as w:
        assert await supersede_disagreements(w, await w.now_us()) == 0
        await close_trial(w, scene.trial)
    async with scene.recording() as log:
        await log.answered(["neutral"])
    assert await scene.follow() == 0
    parts = JobParts(
        ledger=scene.ledger,
        objects=scene.objects,
        traffic=scene.traffic,
        artifacts=scene.traffic,
        payloads_url=str(scene.traffic),
        recipes=None,
        traffic_keep_s=1e6,
    )
    async with scene.ledger.reading() as r:
        now = await r.now_us()
    await supersede(parts, now)
    (case,) = await scene.cases()
    assert (case.id, case.state, case.closed_reason) == (case_id, "closed", "superseded")
    assert (await counted(scene)).compared == 2


async def test_sealing_waits_for_the_disagreements(scene: Scene) -> None:
    """A segment is sealed once its differences are cases, and a large entry is read from its object."""
    async with scene.recording() as log:
        prediction = await log.answered(["positive"] * 300)
    sealer = Sealer(scene.traffic, LedgerSegments(scene.ledger), LedgerCursors(scene.ledger, (CONSUMER,)))
    assert (await sealer.run()).behind == 1
    assert await scene.follow() == 300
    assert len((await sealer.run()).sealed) == 1
    (found,) = await TrafficReader(scene.traffic, LedgerSegments(scene.ledger)).find(prediction)
    assert found.entry.folded is not None


async def test_a_killed_worker_doubles_and_loses_nothing(scene: Scene) -> None:
    """Killed before and after a commit, the workers after it open each case and count each run exactly once."""
    async with scene.recording() as log:
        for _ in range(20):
            await log.answered(["positive"])
    places = (scene.url, scene.traffic, Path(scene.folder, "objects"))
    for point, number in KILLED_AT:
        await killed_at(point, number, "tests.follow", "disagreements", *places)
    await scene.follow()
    cases = await scene.cases()
    assert (len(cases), len({case.prediction_id for case in cases})) == (20, 20)
    assert await counted(scene) == Runs(compared=20, disagreements=20)
