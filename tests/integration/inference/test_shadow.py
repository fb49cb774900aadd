"""The candidate runs beside the champion, and whatever it does, every offered run ends in one entry of the log."""

import asyncio
import time
from pathlib import Path

import numpy as np

from gateway.holding.payload import decode_answered, decode_input
from gateway.inference.beside import Ran
from gateway.inference.shadow import QUEUE_MAX, ShadowRunner, open_shadow
from gateway.metrics import SHADOW_RUNS
from gateway.record.entries import Shadowed
from tests import models
from tests.integration.inference.shadows import SURE, Shadows, dice, shadows

ENDLESS = [0.0, 1e12, 0.0, 0.0]


async def until(scene: Shadows, count: int) -> list[Shadowed]:
    """The runs, once so many have ended."""
    deadline = time.monotonic() + 60
    while len(found := scene.shadowed()) < count:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.005)
    return found


async def test_an_agreement_is_recorded_without_payloads(tmp_path: Path) -> None:
    """A candidate that says the same leaves an entry with its run time and its small outputs, and no object."""
    async with (
        shadows(tmp_path, models.softmax(), models.sticking()) as scene,
        open_shadow(scene.log, scene.capture, dice()) as runner,
    ):
        runner.offer(scene.beside(scene.answer(SURE, SURE)))
        (entry,) = await until(scene, 1)
    assert (entry.status, entry.differing, entry.item_count, entry.decided) == ("answered", (), 2, None)
    assert (entry.release, entry.shadow_release, entry.process) == ("sentiment@1", "sentiment@2", "gateway-1")
    assert entry.outputs[0].name == "probabilities"
    assert entry.output_digest is not None
    assert not list((tmp_path / "objects").rglob("*.*"))


async def test_a_drawn_disagreement_keeps_everything_that_a_case_needs(tmp_path: Path) -> None:
    """The entry names the differing items, their draws and the other answers; input and answer are durable objects."""
    async with (
        shadows(tmp_path, models.softmax(), models.contrary()) as scene,
        open_shadow(scene.log, scene.capture, dice()) as runner,
    ):
        prediction = scene.answer(SURE, [0.0] * 4, SURE)
        runner.offer(scene.beside(prediction))
        (entry,) = await until(scene, 1)
        assert entry.decided is not None
        kept = {ref.role: await scene.objects.get(ref.sha256) for ref in entry.decided.objects}
    assert (entry.differing, entry.answers, entry.drawn_count) == ((1, 3), ("low", "low"), 2)
    assert all(0 <= draw < 1 for draw in entry.draws)
    assert decode_answered(kept["output"]).answers == ("high", "low", "high")
    assert np.array_equal(decode_input(kept["input"]).inputs["x"], prediction.inputs["x"])


async def test_an_item_is_drawn_with_the_trials_one_probability(tmp_path: Path) -> None:
    """At probability 0 nothing is drawn or kept, and the entry still tells that the two differ."""
    async with (
        shadows(tmp_path, models.softmax(), models.contrary(), probability=0.0) as scene,
        open_shadow(scene.log, scene.capture, dice()) as runner,
    ):
        runner.offer(scene.beside(scene.answer(SURE)))
        (entry,) = await until(scene, 1)
    assert (entry.differing, entry.inclusion_probability, entry.drawn_count, entry.decided) == ((1,), 0.0, 0, None)


async def test_a_large_disagreement_is_folded_and_still_counts(tmp_path: Path) -> None:
    """The head of an entry with hundreds of items in it says how many differ and how many were drawn."""
    async with (
        shadows(tmp_path, models.softmax(), models.contrary()) as scene,
        open_shadow(scene.log, scene.capture, dice()) as runner,
    ):
        runner.offer(scene.beside(scene.answer(*[SURE] * 700)))
        (entry,) = await until(scene, 1)
    assert entry.folded is not None
    assert (entry.differing_count, entry.drawn_count, entry.differing) == (700, 700, ())


async def test_what_people_or_a_precedent_answer_is_compared_with_nothing(tmp_path: Path) -> None:
    """A held item, a precedent and a flag that is off each leave no run."""
    async with (
        shadows(tmp_path, models.softmax(), models.contrary()) as scene,
        open_shadow(scene.log, scene.capture, dice()) as runner,
    ):
        for prediction in (
            scene.answer([0.0] * 4, SURE, hold_below=0.9),
            scene.answer(SURE, by="precedent"),
            scene.answer(SURE, shadow=False),
        ):
            runner.offer(scene.beside(prediction))
        runner.offer(scene.beside(last := scene.answer(SURE)))
        assert [entry.prediction for entry in await until(scene, 1)] == [last.id]


async def test_a_stuck_candidate_is_ended_and_only_costs_runs(tmp_path: Path) -> None:
    """A run that takes too long is ended; what waited behind it is dropped, and later runs are answered."""
    async with (
        shadows(tmp_path, models.softmax(), models.sticking()) as scene,
        open_shadow(scene.log, scene.capture, dice(), run_max_s=1.0) as runner,
    ):
        for row in (ENDLESS, SURE):
            runner.offer(scene.beside(scene.answer(row)))
        first, second = await until(scene, 2)
        assert (first.status, second.status, second.reason) == ("timed_out", "dropped", "stuck")
        count = 2
        while scene.shadowed()[-1].status != "answered":
            runner.offer(scene.beside(scene.answer(SURE)))
            await until(scene, count := count + 1)


async def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    """Offering never waits: what finds no room is dropped, and so is what is queued when the process ends."""
    SHADOW_RUNS.forget()
    async with shadows(tmp_path, models.softmax(), models.contrary()) as scene:
        runner = ShadowRunner(scene.log, scene.capture, dice())
        for _ in range(QUEUE_MAX + 3):
            runner.offer(scene.beside(scene.answer(SURE)))
        assert [entry.reason for entry in await until(scene, 3)] == ["queue_full"] * 3
        scene.live.retire()
        assert len(scene.cache.open_digests()) == 2
        runner.close()
        assert scene.cache.open_digests() == set()
        assert [entry.reason for entry in (await until(scene, QUEUE_MAX + 3))[3:]] == ["shutdown"] * QUEUE_MAX
    assert SHADOW_RUNS.values == {("sentiment", "sentiment@2", "dropped"): QUEUE_MAX + 3}


async def test_a_run_that_was_made_already_counts_even_where_it_is_dropped(tmp_path: Path) -> None:
    """The end of the process costs it the payloads of its case, and the trial no comparison."""
    async with shadows(tmp_path, models.softmax(), models.contrary()) as scene:
        runner = ShadowRunner(scene.log, scene.capture, dice())
        ran = Ran(differing=(1,), answers=("low",), digest="0" * 64, outputs=(), run_us=7, draws=(0.5,))
        runner.tell(scene.beside(scene.answer(SURE)), ran)
        assert runner.room == QUEUE_MAX - 1
        runner.close()
        (entry,) = await until(scene, 1)
    assert (entry.status, entry.differing, entry.draws, entry.decided) == ("answered", (1,), (0.5,), None)


async def test_a_run_that_the_end_of_the_process_meets_is_dropped(tmp_path: Path) -> None:
    """Closing ends the present run at its next node and records it."""
    async with shadows(tmp_path, models.softmax(), models.sticking()) as scene:
        async with open_shadow(scene.log, scene.capture, dice(), run_max_s=60.0) as runner:
            runner.offer(scene.beside(scene.answer(ENDLESS)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        (entry,) = await until(scene, 1)
    assert (entry.status, entry.reason) == ("dropped", "shutdown")


async def test_a_candidate_that_cannot_run_fails_by_name(tmp_path: Path) -> None:
    """A file that cannot be loaded and a model of another signature are failures with their code."""
    for folder, candidate, reason in (
        ("missing", None, "model-not-ready"),
        ("other", models.add_sub(), "model-failed"),
    ):
        async with (
            shadows(tmp_path / folder, models.softmax(), candidate) as scene,
            open_shadow(scene.log, scene.capture, dice()) as runner,
        ):
            runner.offer(scene.beside(scene.answer(SURE)))
            (entry,) = await until(scene, 1)
        assert (entry.status, entry.reason) == ("failed", reason)
