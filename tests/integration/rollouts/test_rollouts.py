"""Rollouts: steps, what stops them, and what people do to them."""

import asyncio

import msgspec
import pytest
from sqlalchemy import update

from flags.errors import SeveralStrategies, UnknownFlag
from gateway.errors import UnknownModel
from gateway.ids import new_id
from gateway.store.schema.serves import ModelRow
from gateway.times import now_us
from review.actors import Actor
from review.errors import NotAllowed, ReasonMissing
from review.flagging import define
from review.rollouts.errors import (
    ApprovedByAnother,
    NoRollout,
    RolloutCannot,
    RolloutUnderWay,
    ScheduleRefused,
)
from review.simulation.errors import UnknownSimulation
from tests.integration.release.scene import MODEL, operator_of
from tests.integration.rollouts.scene import FLAG, HOUR_S, Rolling
from tests.outcomes import Settled, ground, numbers, settle

STEPS = ("1% 1h", "10% 1h", "50% approval", "100%")

SCHEDULE = ("1% 1h", "10% 100 requests", "50% 2 verdicts, approval", "100%")


async def test_a_rollout_goes_from_one_step_to_the_next_to_its_end(on_both: Rolling) -> None:
    """Pause, requests, verdicts and approval: each step is taken once, when all it waits for has come."""
    on = on_both
    started = await on.start(*SCHEDULE)
    assert (started.percent, started.missing) == (1, ("60m of its pause of 1h",))
    assert (await on.look(HOUR_S - 1)).percent == 1
    assert await on.reach() == "1 % of requests"

    assert (await on.look(HOUR_S)).percent == 10
    await on.requests(99, 50, at_us=(await on.shown()).since_us + 1)
    assert (await on.look(10)).missing == ("1 of 100 requests",)
    await on.requests(1, items=300, at_us=(await on.shown()).since_us + 2)
    assert (await on.look(10)).percent == 10  # counted a moment ago
    assert (await on.look(20)).percent == 50

    assert (await on.look(20)).missing == ("2 of 2 verdicts", "an approval")
    await _judge(on, 2, at_us=(await on.shown()).since_us + 1)
    assert (await on.look(40)).missing == ("an approval",)
    assert (await on.move("approve")).missing == ()
    assert (await on.look(41)).percent == 100
    assert await on.reach() == "everybody"

    finished = await on.look()
    assert (finished.state, finished.missing, finished.live) == ("finished", (), False)
    assert await on.look() == finished
    steps = [percent for type_, percent in await on.told() if type_ in ("rollout.stepped", "rollout.finished")]
    assert steps == [10, 50, 100, 100]


async def _judge(on: Rolling, verdicts: int, at_us: int) -> None:
    async with on.ledger.writing() as w:
        where = await ground(w, MODEL, on.scene.registry.folder / "objects")
        asked = [Settled(inputs=numbers([0, 0, 0, 0]), answers=("a",)) for _ in range(verdicts)]
        await settle(w, where, asked, at_us=at_us)


async def test_each_step_and_its_flag_change_are_one(on: Rolling) -> None:
    """For every step there is one change of the flag with the same time and author, told one after the other."""
    await on.start(*STEPS)
    await on.look(HOUR_S)
    await on.look(HOUR_S)
    assert [type_ for type_, _ in await on.told() if type_ != "flag.changed"] == [
        "rollout.started", "rollout.stepped", "rollout.stepped",
    ]  # fmt: skip
    assert [type_ for type_, _ in await on.told()].count("flag.changed") == 1 + 3  # the model came with it off
    assert await on.reach() == "50 % of requests"


async def test_two_workers_take_a_step_once(on_both: Rolling) -> None:
    """Whoever is second finds it taken."""
    on = on_both
    await on.start(*STEPS)
    await asyncio.gather(*(on.look(HOUR_S) for _ in range(3)))
    assert [percent for type_, percent in await on.told() if type_ == "rollout.stepped"] == [10]
    assert (await on.shown()).percent == 10


async def test_a_hand_on_the_flag_is_not_fought(on: Rolling) -> None:
    """Switched off amid a rollout the flag stays off; the rollout is paused and says why, until somebody resumes it."""
    await on.start(*STEPS)
    await on.flip(on=False)
    paused = await on.look(HOUR_S)
    assert (paused.state, await on.reach()) == ("paused", "nobody")
    assert paused.told == "Somebody changed the flag: it is on for nobody now, not as the last step left it."
    assert (await on.look(9 * HOUR_S)).state == "paused"
    with pytest.raises(RolloutCannot, match="resume it first"):
        await on.move("advance")
    resumed = await on.move("resume", "a false alarm")
    assert (resumed.state, resumed.percent, await on.reach()) == ("running", 1, "1 % of requests")
    assert (await on.look(HOUR_S)).percent == 10


async def test_a_flag_that_is_put_back_as_it_was_is_no_obstacle(on: Rolling) -> None:
    """Off and on again before anybody looked is as the step left it."""
    await on.start(*STEPS)
    await on.flip(on=False)
    await on.flip(on=True)
    assert (await on.look(HOUR_S)).percent == 10


async def test_a_halt_pauses_it(on: Rolling) -> None:
    """A halted model's rollout waits for people, and neither starts nor goes on before the halt is lifted."""
    await on.start(*STEPS)
    await on.halt()
    paused = await on.look(HOUR_S)
    assert (paused.state, paused.told, paused.percent) == ("paused", "The model is halted.", 1)
    with pytest.raises(RolloutCannot, match="halted"):
        await on.move("resume")
    await on.move("abort")
    with pytest.raises(RolloutCannot, match="halted"):
        await on.start(*STEPS)


@pytest.mark.parametrize(("back", "words"), [(False, "Another release was promoted"), (True, "was rolled back")])
async def test_another_release_pauses_it(on: Rolling, *, back: bool, words: str) -> None:
    """What the step has shown is about the release before, however another one came to serve."""
    await on.scene.promote(await on.scene.release())
    if not back:
        await on.start(*STEPS)
        await on.scene.promote(await on.scene.release())
    else:
        await on.start(*STEPS)
        await on.scene.roll_back()
    paused = await on.look()
    assert paused.state == "paused"
    assert words in (paused.told or "")
    assert (await on.move("resume")).obstacle is None


async def test_pause_resume_and_advance(on: Rolling) -> None:
    """Paused nothing happens; resumed the step begins anew; advanced nothing is waited for; the last one finishes."""
    await on.start("1% 1h", "100% 1d")
    await on.move("pause", "a look at the audits")
    assert (await on.look(9 * HOUR_S)).told == "a look at the audits"
    with pytest.raises(RolloutCannot, match="paused already"):
        await on.move("pause")
    resumed = await on.move("resume")
    assert (resumed.state, resumed.missing) == ("running", ("60m of its pause of 1h",))
    with pytest.raises(RolloutCannot, match="not paused"):
        await on.move("resume")
    assert (await on.move("advance")).percent == 100
    assert (await on.move("advance", "enough seen")).state == "finished"
    with pytest.raises(NoRollout):
        await on.move("pause")


async def test_abort_is_the_safe_side(on: Rolling) -> None:
    """The flag is off, its strategies stay, and another rollout may begin."""
    await on.start(*STEPS)
    await on.look(HOUR_S)
    aborted = await on.move("abort", "complaints")
    feature = await on.feature()
    assert (aborted.state, feature.enabled, len(feature.strategies)) == ("aborted", False, 1)
    with pytest.raises(NoRollout):
        await on.move("abort")
    assert (await on.start("5%")).percent == 5


async def test_four_eyes_ask_another_to_approve(on: Rolling) -> None:
    """Where the model asks for four eyes, who started a rollout can neither approve of its steps nor skip that."""
    await on.start("1%")
    await on.look()
    async with on.ledger.writing() as w:
        await w.execute(update(ModelRow).values(four_eyes=True))
    await on.start("1% approval", "100%")
    for verb in ("approve", "advance"):
        with pytest.raises(ApprovedByAnother):
            await on.move(verb)
    other = msgspec.structs.replace(on, scene=on.scene.as_person("otto"))
    assert (await other.move("approve")).approved_by == "person:otto@example.org"
    with pytest.raises(RolloutCannot, match="does not wait for an approval"):
        await other.move("approve")
    assert (await on.look()).percent == 100


async def test_four_eyes_are_not_talked_round_by_a_rollout(on: Rolling) -> None:
    """A first step that lets more answers out, and steps that come by themselves, are no one person's to start."""
    async with on.ledger.writing() as w:
        await w.execute(update(ModelRow).values(four_eyes=True))
    with pytest.raises(RolloutCannot, match="a second person confirms the share of the first step"):
        await on.start("1% approval", "100%")
    with pytest.raises(RolloutCannot, match="each step but the last waits for an approval"):
        await on.start("1% 1h", "100%")
    assert not (await on.feature()).enabled


async def test_what_cannot_be_started_is_refused(on: Rolling) -> None:
    """One rollout a flag; a reason, a schedule, a model and a trial that the flag is about."""
    await on.start(*STEPS)
    with pytest.raises(RolloutUnderWay):
        await on.start(*STEPS)
    with pytest.raises(ScheduleRefused):
        await on.start("50% 1h", "10%", flag=f"{MODEL}.shadow")
    with pytest.raises(RolloutCannot, match="The trial is over"):
        await on.start("10%", flag=f"{MODEL}.candidate")
    with pytest.raises(UnknownModel):
        await on.start("10%", flag="nobody.automated")
    with pytest.raises(ReasonMissing):
        await on.move("pause", " ")
    await on.move("abort")
    with pytest.raises(UnknownSimulation):
        await on.start("10%", simulation=new_id())
    await on.start("10%")
    stranger = operator_of(on.scene.registry.tenant_id)
    stranger = msgspec.structs.replace(stranger, roles=frozenset({("reviewer", None)}))
    with pytest.raises(NotAllowed):
        await _as(on, stranger).move("abort")


def _as(on: Rolling, actor: Actor) -> Rolling:
    return msgspec.structs.replace(on, scene=msgspec.structs.replace(on.scene, operator=actor))


async def test_a_flag_of_several_strategies_is_not_stepped(on: Rolling) -> None:
    """Which of them should grow, nobody has said: neither started nor, made so amid a rollout, taken further."""
    two = b'{"enabled": true, "strategies": [{"name": "default"}, {"name": "default"}]}'
    await define(on.ledger, on.scene.operator, FLAG, two, why="by hand")
    with pytest.raises(SeveralStrategies):
        await on.start(*STEPS)
    with pytest.raises(NoRollout):
        await on.shown()
    with pytest.raises(UnknownFlag):
        await define(on.ledger, on.scene.operator, "nobody.automated", two, why="by hand")


async def test_the_stickiness_of_a_flag_stays(on: Rolling) -> None:
    """A flag that sticks to users sticks to users at every step, so whoever was let in stays in."""
    by_user = (
        b'{"enabled": false, "strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "0", '
        b'"stickiness": "userId", "groupId": "g"}, "constraints": [{"contextName": "tenant", "operator": "IN", '
        b'"values": ["x"]}]}]}'
    )
    await define(on.ledger, on.scene.operator, FLAG, by_user, why="by hand")
    await on.start("5% 1h", "100%")
    (strategy,) = (await on.feature()).strategies
    assert strategy.parameters == {"rollout": "5", "stickiness": "userId", "groupId": FLAG}
    assert strategy.constraints[0].context_name == "tenant"
    assert (await on.feature()).enabled


async def test_a_look_long_before_anything_is_due_writes_nothing(on: Rolling) -> None:
    """What waits for a pause costs no write and rings no bell."""
    before = await on.start(*STEPS)
    assert await on.look(1) == msgspec.structs.replace(before, missing=(await on.shown()).missing)
    assert (await on.shown()).changed_us <= now_us()
