"""What the guard's figures rest on: what people said and what gateways recorded of the release since its promotion."""

import msgspec
import pytest

from gateway.times import now_us
from tests.integration.release.guarded import HOUR_US, Guarded, guarded, promoted
from tests.integration.release.scene import Scene


@pytest.fixture
async def scene_guarded(scene: Scene) -> Guarded:
    """A model whose promotions can be watched."""
    return await guarded(scene)


async def test_latency_is_a_quantile_of_what_was_answered_since(scene_guarded: Guarded) -> None:
    """Only answers of the watched release count, from request to answer; slow ones before the promotion do not."""
    on = scene_guarded
    before = [on.answer("numbers@2", ms=900) for _ in range(50)]
    await promoted(on, latency={"limit_s": 0.05, "quantile": 0.5, "min_sample": 50})
    since = [on.answer("numbers@2", ms=ms) for ms in range(1, 101)]
    await on.recorded(*before, *since, *(on.answer("numbers@1", ms=500) for _ in range(50)))
    await on.look()
    (figure,) = (await on.watch()).figures
    assert (figure.standing, figure.sample) == ("unsure", 100)
    assert figure.found is not None
    assert (figure.found.low, figure.found.value, figure.found.high) == (0.04, 0.05, 0.061)
    await on.recorded(*(on.answer("numbers@2", ms=200) for _ in range(100)))
    await on.look()
    watch = await on.watch()
    assert (watch.state, watch.act) == ("breached", "advised")
    assert ((await on.scene.serves())[0], await on.halted()) == ("numbers@2", None)
    assert watch.told is not None
    assert "The 0.5 quantile of the answers' times is" in watch.told


async def test_refusals_are_failed_runs_and_held_requests_that_got_no_answer(scene_guarded: Guarded) -> None:
    """Of all that the release was asked for; what people were asked for at once says nothing of it."""
    on = scene_guarded
    await promoted(on, refusals={"limit": 0.1, "min_sample": 50})
    asked = [on.answer("numbers@2") for _ in range(90)]
    at_once = [msgspec.structs.replace(on.answer("numbers@2", path="review"), decided_path="review") for _ in range(40)]
    await on.recorded(*asked, *at_once, *(on.failure("numbers@2") for _ in range(4)), on.failure("numbers@1"))
    held = await on.judged(6, 0, kind="hold")
    await on.refused(held)
    await on.look()
    (figure,) = (await on.watch()).figures
    assert (figure.standing, figure.sample) == ("unsure", 94)
    assert figure.found is not None
    assert figure.found.value == pytest.approx(10 / 94)
    await on.recorded(*(on.failure("numbers@2") for _ in range(20)))
    await on.look()
    assert (await on.watch()).state == "breached"


async def test_reversals_are_what_people_corrected_of_all_they_judged(scene_guarded: Guarded) -> None:
    """Held and audited alike, unweighted; for errors an audit that was drawn half as often counts twice as much."""
    on = scene_guarded
    await on.declare(reversals={"limit": 0.2, "min_sample": 20}, errors={"limit": 0.5, "min_sample": 100})
    await on.judged(0, 50, at_us=now_us() - HOUR_US)
    await on.scene.promote(await on.scene.release())
    await on.judged(10, 3, kind="hold")
    await on.judged(5, 0, probability=0.5)
    await on.judged(0, 2, probability=0.25)
    await on.unjudged(3)
    await on.look()
    errors, reversals = (await on.watch()).figures
    assert (reversals.standing, reversals.sample, errors.standing, errors.sample) == ("unsure", 20, "too_few", 7)
    assert "7 of 10 drawn audits so far" in errors.told
    assert reversals.found is not None
    assert errors.found is not None
    assert reversals.found.value == pytest.approx(5 / 20)
    assert errors.found.value == pytest.approx(2 * 4 / (2 * 4 + 5 * 2))
