"""The second half: what people said becomes a better release, and a bad one is rolled back.

Nothing here is tuned to come out well. A play has few held-out items, so the gate may well say wait; then that is said,
and the release is promoted by force with a reason, as an operator would have to.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice

import msgspec

from demo.errors import CommandFailed, TrainingFailed
from demo.home import HOME
from demo.items import Item
from demo.models.build import make_swapped
from demo.play import acts, better_words, words
from demo.play.callers import Told, now_us
from demo.play.ending import Better, Evaluation, Interval, Promoted, RolledBack, Says
from demo.play.founding import YOU
from demo.play.product import run_command
from demo.play.scene import Scene
from demo.play.server import Place

MODEL = "sentiment"
TRIED, TRIED_A_SECOND, TRIED_WAITING = 80, 12.0, 60
"""Sentences that are sent while the candidate runs beside the champion."""
DECIDED_WITHIN_S = 30.0
LOOK_AGAIN_S = 0.25
AT_ONCE = 4
"""Callers who ask one sentence after another while the bad release is noticed and rolled back."""
NOTICED_AFTER = 20
"""So many answers the bad release gives before the operator has seen enough."""


class _Frozen(msgspec.Struct, frozen=True, kw_only=True):
    dataset: str


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    release: str | None = None


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: str
    progress: float
    result: _Made
    error: str | None


class _Compared(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    champion: Interval
    candidate: Interval
    fixes: int
    breaks: int


class _Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    release: str
    baseline: str
    comparisons: tuple[_Compared, ...]
    narrative: tuple[str, ...]


class _Evidence(msgspec.Struct, frozen=True, kw_only=True):
    compared: int
    disagreements: int
    wins: int
    losses: int
    open: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How the trial stands."""

    evidence: _Evidence
    said: tuple[str, ...]


class _Check(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Says
    reasons: tuple[str, ...]


class _Gate(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Says
    checks: tuple[_Check, ...]


class _Added(msgspec.Struct, frozen=True, kw_only=True):
    release: str


class _Moved(msgspec.Struct, frozen=True, kw_only=True):
    release: str


class _Move(msgspec.Struct, frozen=True, kw_only=True):
    moved: _Moved


async def go_on(scene: Scene, place: Place, traffic: Iterator[Item]) -> Better:
    """From the dataset to the rollback; `traffic` is what callers send from here on."""
    better_words.tell_second_half(scene.screen)
    sentences = (item for item in traffic if item.model == MODEL)
    dataset = (await scene.you.post(f"/models/{MODEL}/datasets", {}, _Frozen)).dataset
    release = await _train(scene, dataset)
    evaluation = await _evaluate(scene, release, dataset)
    await _try_out(scene, release, islice(sentences, TRIED))
    promoted = await _promote(scene, release)
    rolled_back, took_ms = await _roll_back_a_bad_one(scene, sentences)
    return Better(
        dataset_sha256=dataset,
        evaluation=evaluation,
        promoted=promoted,
        rolled_back=rolled_back,
        rollback_ms=round(took_ms, 1),
        bundle_verified=await _verify_bundle(scene, place, release),
        failed_requests=sum(one.failed for one in scene.notebook.told),
    )


async def _train(scene: Scene, dataset: str) -> str:
    """The release that the recipe makes of the dataset. Raises: TrainingFailed."""
    await scene.you.put(f"/models/{MODEL}/training/recipe", {"name": MODEL})
    job = await scene.you.post(f"/models/{MODEL}/trainings", {"dataset": dataset}, _Job)
    while job.state in ("waiting", "running"):
        scene.screen.status(f"the recipe of {MODEL} trains: {job.progress:.0%}")
        await asyncio.sleep(LOOK_AGAIN_S)
        job = await scene.you.get(f"/jobs/{job.id}", _Job)
    scene.screen.status("")
    if job.result.release is None:
        raise TrainingFailed(state=job.state, why=job.error or "nothing was said")
    better_words.tell_training(scene.screen, dataset, job.result.release)
    return job.result.release


async def _evaluate(scene: Scene, release: str, dataset: str) -> Evaluation:
    found = await scene.you.post(f"/releases/{release}/evaluations", {"dataset": dataset}, _Evaluated)
    overall = next(each for each in found.comparisons if each.what == "overall")
    better_words.tell_evaluation(scene.screen, found.narrative)
    return Evaluation(
        release=found.release,
        champion=found.baseline,
        right=overall.candidate,
        champion_right=overall.champion,
        fixes=overall.fixes,
        breaks=overall.breaks,
    )


async def _try_out(scene: Scene, release: str, sentences: Iterator[Item]) -> None:
    """The candidate runs beside the champion, and people say which of two unnamed answers is right."""
    why = "The demo tries what it has trained."
    number = int(release.partition("@")[2])
    await scene.you.put(f"/models/{MODEL}/trial", {"release": number, "why": why})
    await scene.you.put(f"/flags/{MODEL}.shadow/switch", {"on": True, "why": why})
    await asyncio.sleep(acts.FOLLOWED_S)
    await acts.send(scene, sentences, per_s=TRIED_A_SECOND, most=TRIED_WAITING)
    trial = await _decided(scene)
    better_words.tell_trial(scene.screen, trial.said)


async def _decided(scene: Scene) -> Trial:
    """The trial, once people have decided every disagreement; or as it is when that takes too long."""
    until, seen = time.monotonic() + DECIDED_WITHIN_S, -1
    while True:
        trial = await scene.you.get(f"/models/{MODEL}/trial", Trial)
        # The worker makes the cases a moment after the answers: the count of what was compared has come to rest.
        at_rest, seen = trial.evidence.compared == seen > 0, trial.evidence.compared
        if (at_rest and not trial.evidence.open) or time.monotonic() > until:
            return trial
        await asyncio.sleep(8 * LOOK_AGAIN_S)


async def _promote(scene: Scene, release: str) -> Promoted:
    """Ask the gate, say what it says, and promote: by force where it does not say so."""
    gate = await scene.you.get(f"/models/{MODEL}/releases/{release}/gate", _Gate)
    reasons = tuple(reason for check in gate.checks if check.verdict == gate.verdict for reason in check.reasons)
    forced = gate.verdict != "promote"
    why = "The demo goes on, whatever the gate says." if forced else "The gate says so."
    await scene.you.post(f"/models/{MODEL}/releases/{release}/promotion", {"why": why, "force": forced}, msgspec.Raw)
    better_words.tell_promotion(scene.screen, release, gate.verdict, reasons if forced else ())
    return Promoted(release=release, gate=gate.verdict, reasons=reasons if forced else (), forced=forced)


async def _roll_back_a_bad_one(scene: Scene, sentences: Iterator[Item]) -> tuple[RolledBack, float]:
    """A release whose labels were swapped is promoted by force, noticed, and rolled back while callers go on asking."""
    bad = await _promote_a_bad_one(scene)
    answers: list[Told] = []
    noticed, over = asyncio.Event(), asyncio.Event()

    async def ask_on() -> None:
        while not over.is_set():
            told = await scene.ask(next(sentences))
            if told.release == bad and not told.held:
                answers.append(told)
            if len(answers) >= NOTICED_AFTER:
                noticed.set()

    async with asyncio.TaskGroup() as callers:
        for _ in range(AT_ONCE):
            callers.create_task(ask_on())
        await noticed.wait()
        began_us, why = now_us(), {"why": "Negative and positive are swapped."}
        moved = (await scene.you.post(f"/models/{MODEL}/rollback", why, _Move)).moved
        confirmed_us = now_us()
        await asyncio.sleep(acts.FOLLOWED_S)
        over.set()
    took_ms = (max(confirmed_us, *(one.arrived_us for one in answers)) - began_us) / 1000
    rolled_back = RolledBack(release=bad, to=moved.release, answers=len(answers))
    wrong = sum(one.errs for one in answers)
    better_words.tell_rollback(scene.screen, bad, moved.release, len(answers), wrong, took_ms)
    return rolled_back, took_ms


async def _promote_a_bad_one(scene: Scene) -> str:
    """The name of the bad release, which serves now."""
    swapped = await asyncio.to_thread(make_swapped, HOME)
    card = next(model.card for model in scene.models if model.name == MODEL)
    files = {"file": swapped, "card": card}
    bad = (await scene.you.send_files(f"/models/{MODEL}/versions", files, _Added)).release
    why = "Somebody is in a hurry and believes to know better than the gate."
    await scene.you.post(f"/models/{MODEL}/releases/{bad}/promotion", {"why": why, "force": True}, msgspec.Raw)
    better_words.tell_bad(scene.screen, bad)
    return bad


async def _verify_bundle(scene: Scene, place: Place, release: str) -> bool:
    """Whether the release's bundle is whole and replays to its own report, by the command and without the server."""
    bundle = place.folder / "release.zip"
    bundle.unlink(missing_ok=True)
    ours = {"LOCKGATE_URL": place.url, "LOCKGATE_TOKEN": scene.cast.member(YOU).key}
    await run_command("bundle", release, "--out", bundle, environment=ours, folder=place.folder)
    try:
        await run_command("bundle", "verify", bundle, "--replay", environment={}, folder=place.folder)
    except CommandFailed as failed:
        better_words.tell_bundle_broken(scene.screen, str(failed))
        return False
    better_words.tell_bundle(scene.screen, words.shown(bundle))
    return True
