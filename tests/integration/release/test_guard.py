"""The guard: every promotion is watched by what was declared, and a breach is acted upon once."""

import asyncio

import msgspec
import pytest
from sqlalchemy import insert

from gateway.store.halts import halt
from gateway.store.ledger import Ledger
from gateway.store.models import find_model
from gateway.store.schema.serves import ReleaseMarkRow
from gateway.times import now_us
from review.actors import Actor
from review.errors import NotAllowed, ReasonMissing
from review.release.errors import NothingDeclared, QuantileUnknowable, WatchesNothing
from review.release.guarding import Breached, judge
from review.release.watching import carry_out, evidence_on
from review.store.guards import Watch
from tests.integration.release.guarded import ERRORS, HOUR_US, Guarded, guarded, promoted
from tests.integration.release.scene import MODEL, Scene, operator_of


@pytest.fixture
async def scene_guarded(scene: Scene) -> Guarded:
    """A model whose promotions can be watched."""
    return await guarded(scene)


@pytest.mark.parametrize(
    ("on_breach", "act", "serves", "halted"),
    [
        ("pause", "paused", "numbers@2", True),
        ("roll_back", "rolled_back", "numbers@1", False),
    ],
)
async def test_a_breach_is_acted_upon_as_declared(
    scene_guarded: Guarded, on_breach: str, act: str, serves: str, halted: object
) -> None:
    """Once, by the first of two workers, with the figure as the reason, whoever looks again."""
    on = scene_guarded
    await promoted(on, **ERRORS, on_breach=on_breach)
    await on.judged(15, 15)
    await asyncio.gather(on.look(), on.look())
    await on.look()
    watch = await on.watch()
    assert (watch.release, watch.state, watch.act, watch.left_s) == ("numbers@2", "breached", act, 0)
    assert watch.told is not None
    assert (
        "The share of wrong automatic answers is 50.0% (95 % interval 33.2% to 66.8%, 30 of 30 drawn audits)"
        in watch.told
    )
    assert await on.told() == ["declared", "watching", "breached"]
    assert (await on.scene.serves())[0] == serves
    found = await on.halted()
    assert (found is not None) == bool(halted)
    if found is not None:
        assert (found.mode, found.by) == ("review", "guard")
        assert watch.told in found.why
    rolled_back = [row for row in await on.scene.history() if row.action == "rolled_back"]
    assert [row.by for row in rolled_back] == (["guard"] if act == "rolled_back" else [])
    assert all(watch.told in row.why for row in rolled_back)


async def test_a_release_that_is_good_passes_when_it_has_baked(scene_guarded: Guarded) -> None:
    """Until then its figures are shown with their intervals and the time that is left; the verdict is an event."""
    on = scene_guarded
    await promoted(on, **ERRORS, bake_s=3600.0, on_breach="roll_back")
    await on.judged(60, 1)
    await on.look()
    watch = await on.watch()
    (figure,) = watch.figures
    assert (watch.state, figure.standing, figure.sample) == ("watching", "within", 61)
    assert 3000 < watch.left_s <= 3600
    await on.look(watch.until_us - 1)
    assert (await on.watch()).state == "watching"
    await on.look(watch.until_us)
    watch = await on.watch()
    assert (watch.state, watch.told) == ("passed", "The bake time is over and no limit is broken.")
    await on.judged(0, 200)
    await on.look(watch.until_us + HOUR_US)
    assert (await on.watch()).state == "passed"
    assert await on.told() == ["declared", "watching", "passed"]
    assert (await on.scene.serves())[0] == "numbers@2"


async def test_without_a_sample_it_bakes_to_the_end_and_says_so(scene_guarded: Guarded) -> None:
    """Nothing known is neither good nor bad: it is not enough yet, and at the end that is what is told."""
    on = scene_guarded
    await promoted(on, **ERRORS, latency={"limit_s": 0.1}, refusals={"limit": 0.1}, on_breach="roll_back")
    await on.judged(0, 19)
    await on.look()
    watch = await on.watch()
    assert [(each.watch, each.standing, each.sample) for each in watch.figures] == [
        ("errors", "too_few", 19), ("latency", "too_few", 0), ("refusals", "too_few", 0),
    ]  # fmt: skip
    assert "not known yet: 19 of 19 drawn audits so far, and 20 are needed" in watch.figures[0].told
    await on.look(watch.until_us)
    watch = await on.watch()
    assert watch.state == "passed"
    assert watch.told is not None
    assert "Too little came to tell of errors, latency and refusals." in watch.told


async def test_the_next_promotion_takes_the_place_of_a_watch(scene_guarded: Guarded) -> None:
    """What the release before did is not held against it; a rollback ends a watch, too, and begins none."""
    on = scene_guarded
    await promoted(on, **ERRORS, on_breach="roll_back")
    await on.judged(0, 40)
    await on.scene.promote(await on.scene.release())
    await on.look()
    watch = await on.watch()
    assert (watch.release, watch.state, watch.figures[0].sample) == ("numbers@3", "watching", 0)
    assert await on.told() == ["declared", "watching", "ended", "watching"]
    (ended,) = await on.scene.events("guard.ended")
    assert msgspec.json.decode(ended.data)["why"] == "numbers@3 serves in the place of numbers@2."
    await on.scene.roll_back()
    await on.look()
    assert ((await on.watch()).release, (await on.watch()).state) == ("numbers@3", "ended")
    assert (await on.told())[4:] == ["ended"]


async def test_a_declaration_is_changed_while_a_release_bakes(scene_guarded: Guarded) -> None:
    """Declared late it counts from the promotion on, changed at once, cleared it ends the watch; all is kept."""
    on = scene_guarded
    await on.scene.promote(await on.scene.release())
    assert (await on.shown()).watch is None
    await on.declare(**ERRORS)
    watch = await on.watch()
    assert (watch.release, watch.state) == ("numbers@2", "watching")
    await on.declare(**ERRORS, bake_s=7200.0, why="longer")
    assert (await on.watch()).until_us == watch.from_us + 2 * HOUR_US
    shown = await on.clear()
    assert shown.declaration is None
    assert [(each.revision, each.why) for each in shown.history] == [
        (3, "enough seen"), (2, "longer"), (1, "it is new"),
    ]  # fmt: skip
    assert (await on.watch()).told == "The guard was cleared: enough seen"
    with pytest.raises(NothingDeclared):
        await on.clear()
    await on.declare(**ERRORS)
    assert (await on.watch()).state == "watching"
    assert await on.told() == [
        "declared", "watching", "declared", "cleared", "ended", "declared", "watching",
    ]  # fmt: skip


async def test_what_makes_no_sense_or_is_not_allowed_is_refused(scene_guarded: Guarded) -> None:
    """A guard watches something, knows its quantile, has a reason, and is declared by an operator."""
    on = scene_guarded
    with pytest.raises(WatchesNothing):
        await on.declare()
    with pytest.raises(QuantileUnknowable):
        await on.declare(latency={"limit_s": 0.1, "min_sample": 100})
    with pytest.raises(ReasonMissing):
        await on.declare(**ERRORS, why=" ")
    reviewer = msgspec.structs.replace(operator_of(on.ground.tenant_id), roles=frozenset({("reviewer", None)}))
    with pytest.raises(NotAllowed):
        await guarded_by(on, reviewer).declare(**ERRORS)
    assert (await on.shown()).declared is None


def guarded_by(on: Guarded, actor: Actor) -> Guarded:
    """The same, as somebody else."""
    return msgspec.structs.replace(on, scene=msgspec.structs.replace(on.scene, operator=actor))


class Killed(Exception):
    """The process ends here."""


async def killed_after(ledger: Ledger, watch: Watch, verdict: Breached) -> None:
    """The verdict is carried out, and the process ends before the commit."""
    async with ledger.writing() as w:
        assert await carry_out(w, watch, verdict) == "rolled_back"
        raise Killed


async def test_killed_before_the_commit_nothing_has_happened(scene_guarded: Guarded) -> None:
    """Verdict, event and rollback are one transaction; figures count for the declaration they were read for."""
    on, ledger = scene_guarded, scene_guarded.scene.registry.ledger
    await promoted(on, **ERRORS, on_breach="roll_back")
    await on.judged(0, 30)
    watch = await on.open_watch()
    verdict = judge(await evidence_on(ledger, on.traffic, watch), until_us=watch.until_us, now_us=now_us())
    assert isinstance(verdict, Breached)
    with pytest.raises(Killed):
        await killed_after(ledger, watch, verdict)
    assert ((await on.watch()).state, await on.scene.serves()) == ("watching", ("numbers@2", "numbers@1"))
    await on.declare(**ERRORS, on_breach="roll_back")
    async with ledger.writing() as w:
        assert await carry_out(w, watch, verdict) is None
    assert (await on.watch()).state == "watching"
    await on.look()
    assert ((await on.watch()).state, (await on.scene.serves())[0]) == ("breached", "numbers@1")


async def test_without_a_release_to_go_back_to_the_model_is_paused(scene_guarded: Guarded) -> None:
    """When all that served was withdrawn, people take over, and it says so; a halt of people stays as it is."""
    on = scene_guarded
    await promoted(on, **ERRORS, on_breach="roll_back")
    async with on.scene.registry.ledger.writing() as w:
        mark = {"mark": "withdrawn", "by": "person:olga@example.org", "why": "a test", "created_us": now_us()}
        await w.execute(insert(ReleaseMarkRow).values(release_id=on.ground.release_id, **mark))
    await on.judged(0, 30)
    await on.look()
    watch, found = await on.watch(), await on.halted()
    assert (watch.state, watch.act, (await on.scene.serves())[0]) == ("breached", "paused", "numbers@2")
    assert found is not None
    assert "No release has served to which the model could go back, so it is paused." in found.why
    await on.declare(**ERRORS, on_breach="pause")
    async with on.scene.registry.ledger.writing() as w:
        model = await find_model(w, on.ground.tenant_id, MODEL)
        assert model is not None
        await halt(w, model, "refuse", by="person:olga@example.org", why="look into it")
    await on.scene.promote(await on.scene.release(), force=True)
    await on.judged(0, 30)
    await on.look()
    found = await on.halted()
    assert found is not None
    assert ((await on.watch()).act, found.mode, found.why) == ("paused", "refuse", "look into it")
