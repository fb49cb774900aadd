"""How a trial stands: what people said, what the runs came to, and what the log tells of both releases."""

import pytest

from gateway.errors import UnknownModel
from gateway.store.segments import LedgerSegments
from review.desk.undo import undo
from review.release.progress import NoTrial, TrialShown, show_trial
from review.release.tally import trial_evidence
from review.traffic.beside import RunFigures
from review.traffic.query import TrafficReader
from tests.integration.trials.scene import Scene
from tests.integration.trials.test_judging import judge
from tests.trials import close_trial, open_trial
from tests.worlds import CARD, add_release


async def shown(scene: Scene, model: str = "sentiment") -> TrialShown:
    """The trial as its page shows it."""
    traffic = TrafficReader(scene.traffic, LedgerSegments(scene.ledger))
    return await show_trial(scene.ledger, traffic, scene.world.tenant_id, model)


async def test_wins_and_losses_are_what_people_decided(scene: Scene) -> None:
    """Each decided case counts once; what was undone is open again; the interval rests on wins and losses alone."""
    win, loss, neither, waits = await scene.disagree("positive", "positive", "positive", "positive")
    await judge(scene, win, "second")
    await judge(scene, loss, "first")
    await judge(scene, neither, "neither", "neutral")
    await judge(scene, waits, "second")
    async with scene.ledger.writing() as w:
        await undo(w, scene.holding.person(), waits, "wrong key")
    async with scene.ledger.reading() as r:
        evidence = await trial_evidence(r, scene.trial.id)
    assert (evidence.compared, evidence.disagreements, evidence.missing) == (4, 4, 0)
    assert (evidence.wins, evidence.losses, evidence.both_wrong, evidence.open) == (1, 1, 1, 1)
    assert evidence.win_share is not None
    assert (evidence.win_share.value, evidence.win_share.n) == (0.5, 2)


async def test_the_log_tells_run_times_and_errors_of_both(scene: Scene) -> None:
    """Answering and shadow runs by release, those that came to nothing, and those that left no trace."""
    async with scene.recording() as log:
        for _ in range(3):
            await log.answered(["negative"])
        await log.missed("failed")
        await log.missed("dropped")
        for _ in range(6):
            await log.decided()
    trial = await shown(scene)
    answering, shadow = trial.runs
    assert (answering.release, answering.role, answering.runs, answering.errors) == ("sentiment@1", "answering", 6, 0)
    assert shadow == RunFigures(
        release="sentiment@2", role="shadow", runs=5, errors=1, dropped=1, p50_us=250.0, p99_us=250.0
    )
    assert trial.lost == 1


async def test_the_last_trial_is_shown_until_the_next_one(scene: Scene) -> None:
    """An ended trial is shown with its end; an open one comes before it, and counts for itself."""
    await scene.disagree("positive")
    async with scene.ledger.writing() as w:
        await close_trial(w, scene.trial)
    ended = await shown(scene)
    assert (ended.id, ended.closed_us is not None, ended.evidence.compared) == (scene.trial.id, True, 1)
    async with scene.ledger.writing() as w:
        again = await open_trial(w, scene.world.model_id, scene.trial.candidate_id)
    trial = await shown(scene)
    assert (trial.id, trial.champion, trial.candidate) == (again.id, "sentiment@1", "sentiment@2")
    assert (trial.evidence.compared, trial.agreement) == (0, None)


async def test_a_model_without_a_trial_says_so(scene: Scene) -> None:
    """Unknown models and models that were never on trial are told apart."""
    async with scene.ledger.writing() as w:
        await add_release(w, scene.world.tenant_id, "other", CARD)
    with pytest.raises(NoTrial):
        await shown(scene, "other")
    with pytest.raises(UnknownModel):
        await shown(scene, "nothing")
