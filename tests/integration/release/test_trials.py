"""Trials: one open a model, a canary only when an operator opens it, and an end with the champion."""

import asyncio

import pytest

from gateway.plan import TrialPlan
from gateway.store.schema.serves import TrialRow
from review.errors import ReasonMissing
from review.release.errors import AlreadyServes, NoSuchRelease, NoTrial, TrialOpen, TrialRefused
from review.release.rollback import preview_rollback
from review.release.trials import Opening, Trial, close_trial, let_answer, open_trial
from tests.integration.release.scene import MODEL, Scene


async def begin(scene: Scene, number: int, why: str = "a test", probability: float = 1.0) -> Trial:
    """Open a trial."""
    asked = Opening(number=number, why=why, disagreement_probability=probability)
    return await open_trial(scene.registry.ledger, scene.registry.artifacts, scene.operator, MODEL, asked)


async def planned(scene: Scene) -> TrialPlan | None:
    """The trial as a gateway's plan has it."""
    return (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].trial


async def test_a_trial_is_opened_its_canary_and_closed(scene: Scene) -> None:
    """Gateways follow each step, each has one event, and opening the canary again changes nothing."""
    number = await scene.release()
    ledger, operator = scene.registry.ledger, scene.operator
    opened = await begin(scene, number, probability=0.25)
    assert (opened.candidate, opened.canary_open, opened.opened_by) == ("numbers@2", False, "person:olga@example.org")
    plan = await planned(scene)
    assert plan is not None
    assert (plan.candidate.name, plan.canary_open, plan.disagreement_probability) == ("numbers@2", False, 0.25)
    for _ in range(2):
        assert (await let_answer(ledger, operator, MODEL, "half a day without an error")).canary_open
    plan = await planned(scene)
    assert plan is not None
    assert plan.canary_open
    closed = await close_trial(ledger, operator, MODEL, "enough seen")
    assert (closed.candidate, await planned(scene)) == (None, None)
    assert (await scene.registry.plan()).revision == closed.plan_revision
    assert [event.type for event in await scene.events("trial.opened", "trial.canary_opened", "trial.closed")] == [
        "trial.opened", "trial.canary_opened", "trial.closed",
    ]  # fmt: skip


async def test_one_is_open_a_model(scene: Scene) -> None:
    """Whoever asks at the same moment, one trial is opened and the other is told which one; closed, the next may be."""
    one, other = await scene.release(), await scene.release()
    done = await asyncio.gather(begin(scene, one), begin(scene, other), return_exceptions=True)
    assert {type(each) for each in done} == {Trial, TrialOpen}
    await close_trial(scene.registry.ledger, scene.operator, MODEL, "the other one")
    await begin(scene, other)
    assert await scene.registry.count(TrialRow) == 2


async def test_what_cannot_be_tried_is_refused(scene: Scene) -> None:
    """The champion, an unknown one, a withdrawn one, one whose file is gone; no reason; and nothing to close."""
    number = await scene.release()
    ledger, operator = scene.registry.ledger, scene.operator
    with pytest.raises(AlreadyServes):
        await begin(scene, 1)
    with pytest.raises(NoSuchRelease):
        await begin(scene, 9)
    with pytest.raises(ReasonMissing):
        await begin(scene, number, why=" ")
    with pytest.raises(NoTrial):
        await let_answer(ledger, operator, MODEL, "x")
    with pytest.raises(NoTrial):
        await close_trial(ledger, operator, MODEL, "x")
    await scene.promote(number)
    await scene.roll_back()
    with pytest.raises(TrialRefused, match="withdrawn"):
        await begin(scene, number)
    champion = (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].champion
    await scene.registry.artifacts.delete(champion.artifact)
    with pytest.raises(TrialRefused, match="is missing"):
        await begin(scene, await scene.release())


async def test_a_trial_ends_with_the_champion_it_compares_with(scene: Scene) -> None:
    """By its own promotion or another one's, and by a rollback, whose preview says so."""
    one, other = await scene.release(), await scene.release()
    await begin(scene, one)
    await scene.promote(one)
    assert await planned(scene) is None
    await begin(scene, other)
    preview = await preview_rollback(scene.registry.ledger, scene.registry.tenant_id, MODEL)
    assert preview.ends_trial == "numbers@3"
    await scene.roll_back()
    assert await planned(scene) is None
    assert len(await scene.events("trial.closed")) == 2
