"""The gate before a promotion, what force overrides and what it does not, and four eyes."""

import msgspec
import pytest
from sqlalchemy import update

from gateway.store.halts import halt
from gateway.store.models import lock_model
from gateway.store.schema.serves import ModelRow
from review.errors import NotAPerson
from review.release.errors import NothingToConfirm, PromoteRefused, SecondPersonNeeded
from review.release.gate import GateReport
from review.release.promotion import gate_of
from tests.integration.registry.scene import CARD
from tests.integration.release.scene import MODEL, Scene, damage


async def gate(scene: Scene, number: int) -> GateReport:
    """What the gate says."""
    return await gate_of(scene.registry.ledger, scene.registry.artifacts, scene.registry.tenant_id, MODEL, number)


async def test_another_model_waits_for_evidence(scene: Scene) -> None:
    """Without evaluation and trial it is not promoted, with both reasons; by force it is, which the history says."""
    number = await scene.another_file()
    assert (await gate(scene, number)).verdict == "wait"
    with pytest.raises(PromoteRefused, match=r"was not evaluated .* No trial of it is open"):
        await scene.promote(number)
    assert await scene.serves() == ("numbers@1", None)
    moved = await scene.promote(number, force=True, why="the old one is worse than anything")
    assert moved.forced
    row = (await scene.history())[-1]
    assert row.gate is not None
    assert (row.forced, msgspec.json.decode(row.gate, type=GateReport).verdict) == (True, "wait")
    (event,) = await scene.events("release.promoted")
    assert msgspec.json.decode(event.data)["forced"] is True


async def test_what_only_raises_human_control_goes_live_at_once(scene: Scene) -> None:
    """Even while the model is halted and without a second person; what lowers it does not."""
    async with scene.registry.ledger.writing() as w:
        model = await lock_model(w, scene.registry.tenant_id, MODEL)
        assert model is not None
        await halt(w, model, "review", by="person:ada", why="wrong since 14:03")
        await w.execute(update(ModelRow).values(four_eyes=True))
    higher, lower = await scene.release(hold_below=0.9), await scene.release(audit_rate=0.006)
    with pytest.raises(PromoteRefused, match="wrong since 14:03"):
        await scene.promote(lower)
    assert not (await scene.promote(higher)).forced
    assert (await scene.history())[-1].second_person is None


async def test_force_that_was_not_needed_is_not_recorded(scene: Scene) -> None:
    """A release that the gate lets through was not forced, whatever was typed."""
    number = await scene.release(audit_rate=0.006)
    assert not (await scene.promote(number, force=True)).forced


async def test_force_overrides_no_digest(scene: Scene) -> None:
    """A damaged file is refused by force, too."""
    number = await scene.another_file()
    champion = (await scene.registry.plan()).models[scene.registry.tenant_id, MODEL].champion.artifact
    (digest,) = {*scene.registry.artifacts.directory.digests()} - {champion}
    damage(await scene.registry.artifacts.local_path(digest))
    with pytest.raises(PromoteRefused, match="other bytes than its digest says"):
        await scene.promote(number, force=True)
    assert await scene.serves() == ("numbers@1", None)


async def test_nobody_owns_a_category_of_errors(scene: Scene) -> None:
    """A release whose label schema has categories without an owner is refused by their names; the one after it, which
    names them, passes, and one that only raises human control beside that goes live at once."""
    reasons = 'kind = "choice"\nreasons = ["upside_down", "torn"]\nowners.torn = "Scanning"'
    card = CARD.replace('kind = "choice"', reasons)
    unowned = await scene.release(card=card)
    with pytest.raises(PromoteRefused, match=r"Nobody owns the errors of upside_down: name an owner"):
        await scene.promote(unowned)
    owned = card.replace("owners.torn", 'owners.upside_down = "The form"\nowners.torn')
    assert not (await scene.promote(await scene.release(card=owned))).forced
    assert "those of torn by Scanning, those of upside_down by The form" in str((await scene.history())[-1].gate)


async def test_a_champion_whose_errors_nobody_owns_may_be_held_back_at_once(scene: Scene) -> None:
    """Raising human control never waits for an owner."""
    card = CARD.replace('kind = "choice"', 'kind = "choice"\nreasons = ["torn"]')
    await scene.promote(await scene.release(card=card), force=True)
    assert not (await scene.promote(await scene.release(card=card, hold_below=0.9))).forced


async def with_four_eyes(scene: Scene) -> None:
    """Let the model ask for four eyes."""
    async with scene.registry.ledger.writing() as w:
        await w.execute(update(ModelRow).values(four_eyes=True))


async def test_with_four_eyes_one_asks_and_another_confirms(scene: Scene) -> None:
    """The first one's request changes nothing that serves; the second one's confirmation does, and names both."""
    await with_four_eyes(scene)
    number = await scene.another_file()
    with pytest.raises(PromoteRefused):
        await scene.ask(number)
    told = await scene.ask(number, force=True, why="urgent")
    assert (told.moved, told.request is not None) == (None, True)
    assert await scene.serves() == ("numbers@1", None)
    with pytest.raises(SecondPersonNeeded):
        await scene.ask(number, confirm=True)
    moved = await scene.as_person("otto").promote(number, confirm=True, why="I agree")
    row = (await scene.history())[-1]
    assert (row.by, row.second_person, row.forced, row.why) == (
        "person:olga@example.org", "person:otto@example.org", True, "urgent (confirmed: I agree)",
    )  # fmt: skip
    assert moved.second_person == "person:otto@example.org"
    assert [event.by for event in await scene.events("release.promotion_requested")] == ["person:olga@example.org"]


async def test_a_request_holds_for_what_served_when_it_was_asked(scene: Scene) -> None:
    """After the pointer has moved, for another release, and without any request there is nothing to confirm."""
    await with_four_eyes(scene)
    one, other = await scene.release(audit_rate=0.006), await scene.release(audit_rate=0.007)
    second = scene.as_person("otto")
    with pytest.raises(NothingToConfirm):
        await second.ask(one, confirm=True)
    await scene.ask(one)
    with pytest.raises(NothingToConfirm):
        await second.ask(other, confirm=True)
    await scene.promote(await scene.release(hold_below=0.9))
    with pytest.raises(NothingToConfirm):
        await second.ask(one, confirm=True)


async def test_a_key_that_belongs_to_nobody_is_no_person(scene: Scene) -> None:
    """With four eyes neither the asking nor the confirming is a machine's."""
    await with_four_eyes(scene)
    number = await scene.release(audit_rate=0.006)
    machine = msgspec.structs.replace(scene, operator=msgspec.structs.replace(scene.operator, kind="key"))
    with pytest.raises(NotAPerson):
        await machine.ask(number)
    await scene.ask(number)
    with pytest.raises(NotAPerson):
        await machine.ask(number, confirm=True)
