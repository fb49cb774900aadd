"""Promotion and rollback: one pointer row, with its history and its event, and what is refused with nothing written."""

import asyncio

import msgspec
import pytest
from sqlalchemy import update

from gateway.store.schema.serves import ModelRow, ReleaseMarkRow
from review.errors import NotAllowed, ReasonMissing
from review.release.errors import AlreadyServes, CannotRollBackTo, NoSuchRelease, NothingToRollBackTo, PromoteRefused
from review.release.moving import Moved
from review.release.promotion import preview_promotion
from review.release.rollback import Rollback, preview_rollback, roll_back_apart
from review.store.pointer import ServingChanged
from tests.integration.release.scene import MODEL, Scene, damage, operator_of


async def test_a_promoted_release_serves_and_the_champion_before_stays_warm(scene: Scene) -> None:
    """Pointer, history, event and plan change together, and no flag is touched."""
    number = await scene.release(hold_below=0.7)
    before, flags = await scene.registry.plan(), await scene.flags()
    moved = await scene.promote(number, why="fewer errors")
    assert await scene.serves() == ("numbers@2", "numbers@1")
    assert (await scene.registry.plan()).revision == moved.plan_revision == before.revision + 1
    row = (await scene.history())[-1]
    assert (row.revision, row.action, row.by, row.why, row.forced) == (
        2, "promoted", "person:olga@example.org", "fewer errors", False,
    )  # fmt: skip
    (event,) = await scene.events("release.promoted")
    told = msgspec.json.decode(event.data)
    assert (told["release"], told["before"], told["revision"]) == ("numbers@2", "numbers@1", 2)
    assert await scene.flags() == flags


async def test_a_rollback_takes_everything_that_belongs_to_the_release_along(scene: Scene) -> None:
    """Policy and guideline are those of the release that serves again; the other one is withdrawn with the reason."""
    await scene.promote(await scene.release("Guess.", hold_below=0.1, audit_rate=0.9))
    flags = await scene.flags()
    moved = await scene.roll_back(why="it guesses")
    assert (moved.release, moved.withdrawn) == ("numbers@1", "numbers@2")
    champion = (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].champion
    assert (champion.policy.hold_below, champion.policy.audit_rate) == (0.0, 0.02)
    assert champion.card.guideline == "Which class?"
    assert await scene.serves() == ("numbers@1", None)
    assert await scene.flags() == flags
    (event,) = await scene.events("release.rolled_back")
    told = msgspec.json.decode(event.data)
    assert (told["release"], told["withdrawn"], told["why"]) == ("numbers@1", "numbers@2", "it guesses")


async def test_a_rollback_goes_to_the_latest_champion_that_was_not_withdrawn(scene: Scene) -> None:
    """Each further one goes further back, the next one is warm before it is needed, and at last there is none."""
    for _ in range(3):
        await scene.promote(await scene.release())
    assert (await scene.roll_back()).release == "numbers@3"
    assert await scene.serves() == ("numbers@3", "numbers@2")
    await scene.promote(await scene.release())
    assert (await scene.roll_back()).release == "numbers@3"
    assert (await scene.roll_back()).release == "numbers@2"
    assert (await scene.roll_back()).release == "numbers@1"
    with pytest.raises(NothingToRollBackTo, match="halt the model"):
        await scene.roll_back()


async def test_a_rollback_may_name_its_target(scene: Scene) -> None:
    """Any release that has served and was not withdrawn; of the others it is told why not, and which could be."""
    await scene.promote(await scene.release())
    await scene.promote(await scene.release())
    never = await scene.release()
    with pytest.raises(CannotRollBackTo, match=r"has never served.*: numbers@2, numbers@1"):
        await scene.roll_back(to=never)
    with pytest.raises(CannotRollBackTo, match="serves now"):
        await scene.roll_back(to=3)
    with pytest.raises(NoSuchRelease):
        await scene.roll_back(to=9)
    assert (await scene.roll_back(to=1)).release == "numbers@1"
    with pytest.raises(CannotRollBackTo, match="was withdrawn"):
        await scene.roll_back(to=3)


async def test_a_preview_tells_the_target_and_what_changes(scene: Scene) -> None:
    """Release, version, each policy number, the guideline as a diff, and what is withdrawn; nothing is written."""
    number = await scene.release("Which one?", hold_below=0.7)
    ledger, tenant_id = scene.registry.ledger, scene.registry.tenant_id
    shown = (await preview_promotion(ledger, scene.registry.artifacts, tenant_id, MODEL, number)).preview
    assert (shown.release, shown.before, shown.version, shown.revision) == ("numbers@2", "numbers@1", 1, 1)
    assert [each.sentence for each in shown.difference.changes if each.what == "policy"] == [
        "policy.hold_below: 0.0 -> 0.7"
    ]
    assert shown.difference.guideline[-2:] == ("-Which class?", "+Which one?")
    assert len(await scene.history()) == 1
    await scene.promote(number)
    back = await preview_rollback(ledger, tenant_id, MODEL)
    assert (back.release, back.withdraws) == ("numbers@1", "numbers@2")
    assert "policy.hold_below: 0.7 -> 0.0" in [each.sentence for each in back.difference.changes]


async def test_a_damaged_or_missing_file_is_never_promoted(scene: Scene) -> None:
    """Every reason is told, and nothing is written."""
    number = await scene.release()
    champion = (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].champion
    path = await scene.registry.artifacts.local_path(champion.artifact)
    damage(path)
    with pytest.raises(PromoteRefused, match="has other bytes than its digest says"):
        await scene.promote(number)
    path.unlink()
    with pytest.raises(PromoteRefused, match="is missing"):
        await scene.promote(number)
    assert await scene.serves() == ("numbers@1", None)
    assert await scene.events("release.promoted") == []


async def test_every_reason_is_told_at_once(scene: Scene) -> None:
    """A withdrawn release of another signature, whose file is gone: three reasons in one refusal."""
    number = await scene.release()
    await scene.promote(number)
    await scene.roll_back()
    async with scene.registry.ledger.writing() as w:
        await w.execute(update(ModelRow).values(signature='{"inputs":[],"outputs":[]}'))
    champion = (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].champion
    await scene.registry.artifacts.delete(champion.artifact)
    with pytest.raises(PromoteRefused) as refused:
        await scene.promote(number)
    for reason in ("is missing", "other tensors", "withdrawn by a rollback"):
        assert reason in str(refused.value)


async def test_what_is_not_right_is_refused(scene: Scene) -> None:
    """No reason, no such release, the champion itself, somebody without the role, and a look that is out of date."""
    number = await scene.release()
    with pytest.raises(ReasonMissing):
        await scene.promote(number, why=" ")
    with pytest.raises(ReasonMissing):
        await scene.roll_back(why="")
    with pytest.raises(NoSuchRelease):
        await scene.promote(9)
    with pytest.raises(AlreadyServes):
        await scene.promote(1)
    with pytest.raises(ServingChanged):
        await scene.promote(number, expected_revision=7)
    reviewer = msgspec.structs.replace(
        operator_of(scene.registry.tenant_id, "rita"), roles=frozenset({("reviewer", None)})
    )
    with pytest.raises(NotAllowed):
        await msgspec.structs.replace(scene, operator=reviewer).promote(number)
    assert len(await scene.history()) == 1


async def test_of_two_at_once_one_is_told(scene: Scene) -> None:
    """Two operators who looked at the same thing: one promotes, the other is told that it has changed."""
    one, other = await scene.release(), await scene.release()
    tasks = (scene.promote(one, expected_revision=1), scene.promote(other, expected_revision=1))
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in done} == {Moved, ServingChanged}
    assert [row.revision for row in await scene.history()] == [1, 2]


async def test_who_has_the_ledger_can_roll_back_without_the_console(scene: Scene) -> None:
    """It is recorded as theirs, in history and event alike."""
    await scene.promote(await scene.release())
    moved = await roll_back_apart(
        scene.registry.ledger, scene.registry.tenant_id, MODEL, Rollback(why="3 a.m."), by="local:root"
    )
    assert (moved.release, moved.by) == ("numbers@1", "local:root")
    assert [row.by for row in await scene.history()][-1] == "local:root"
    assert await scene.registry.count(ReleaseMarkRow) == 2
