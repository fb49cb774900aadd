"""The timeline on both databases: by position, for a tenant, for all models or one, and never a case or a person."""

import pytest
from sqlalchemy import insert

from gateway.errors import UnknownModel
from gateway.ids import new_id
from gateway.store.events import append_event, position_events
from gateway.store.schema.who import TenantRow
from review.flagging import flip
from review.halting import halt_model, lift_model
from review.timeline.reading import Asked, Stretch, read_timeline
from tests.integration.release.scene import MODEL, Scene


async def read(scene: Scene, **asked: object) -> Stretch:
    """A stretch of the scene's timeline, after every event got its position."""
    async with scene.registry.ledger.writing() as w:
        await position_events(w)
    async with scene.registry.ledger.reading() as r:
        return await read_timeline(r, scene.registry.tenant_id, Asked(**asked))  # type: ignore[arg-type]


async def test_what_operators_do_is_told_with_who_and_why(scene: Scene) -> None:
    """Promotion, rollback, flag, halt and its lifting, the latest first, each by whom and why; nothing else."""
    ledger, operator = scene.registry.ledger, scene.operator
    await scene.promote(await scene.release(hold_below=0.9))
    await scene.roll_back(why="it was worse")
    await flip(ledger, operator, f"{MODEL}.automated", on=True, why="the shift is over")
    await halt_model(ledger, operator, MODEL, "fallback", "odd answers")
    await lift_model(ledger, operator, MODEL, "they were right")
    async with ledger.writing() as w:
        for type_, subject in (("case.opened", "case:1"), ("person.joined", "person:a@b.org")):
            await append_event(w, type_, subject, {}, by="x", tenant_id=scene.registry.tenant_id, at_us=1)
    entries = (await read(scene, limit=5)).entries
    assert [(one.said, one.why) for one in entries] == [
        ("The halt was lifted.", "they were right"),
        ("Halted: every request gets the declared fallback.", "odd answers"),
        (f"{MODEL}.automated: off → on for everybody.", "the shift is over"),
        (f"Rolled back to {MODEL}@1; {MODEL}@2 is withdrawn.", "it was worse"),
        (f"{MODEL}@2 was promoted in the place of {MODEL}@1.", "better"),
    ]
    assert {(one.by, one.model) for one in entries} == {(operator.by, MODEL)}


async def test_a_cursor_goes_both_ways_and_misses_nothing(scene: Scene) -> None:
    """Page by page back from the latest, and forward from the first: the same entries in the same order."""
    for number in range(5):
        await halt_model(scene.registry.ledger, scene.operator, MODEL, "review", f"{number}")
    whole = (await read(scene)).entries
    back: list[int] = []
    stretch = await read(scene, limit=2)
    while stretch.entries:
        back += [one.position for one in stretch.entries]
        stretch = await read(scene, limit=2, before=stretch.oldest)
    forth: list[int] = []
    stretch = await read(scene, limit=2, after=0)
    while stretch.entries:
        forth += [one.position for one in reversed(stretch.entries)]
        stretch = await read(scene, limit=2, after=stretch.newest)
    assert back == forth[::-1] == [one.position for one in whole]
    assert (stretch.newest, stretch.more) == (None, False)


async def test_a_timeline_may_be_of_one_model_and_is_of_one_tenant(scene: Scene) -> None:
    """Another model's events are left out where one is named, another tenant's always, even under the same name."""
    await scene.registry.add("other")
    stranger = new_id()
    async with scene.registry.ledger.writing() as w:
        await w.execute(insert(TenantRow).values(id=stranger, name="elsewhere", created_us=1))
        data = {"mode": "refuse", "why": "not yours"}
        await append_event(w, "model.halted", f"model:{MODEL}", data, by="x", tenant_id=stranger, at_us=1)
    assert {one.model for one in (await read(scene)).entries} == {MODEL, "other"}
    only = (await read(scene, model="other")).entries
    assert {one.model for one in only} == {"other"}
    assert "other.automated" in " ".join(one.said for one in only)
    with pytest.raises(UnknownModel):
        await read(scene, model="nobody")
    async with scene.registry.ledger.reading() as r:
        assert (await read_timeline(r, stranger, Asked())).entries == ()


async def test_an_event_that_nobody_foresaw_is_told(scene: Scene) -> None:
    """Whatever another part of the product says about a model stands in the timeline, by its name."""
    odd = {"list": [1], "measure": "error_rate", "why": "above its bound"}
    async with scene.registry.ledger.writing() as w:
        await append_event(
            w, "bundle.imported", f"model:{MODEL}", odd, by="worker", tenant_id=scene.registry.tenant_id, at_us=1 << 60
        )
    (one,) = (await read(scene, limit=1)).entries
    assert (one.said, one.why, one.kind, one.grave) == (
        "Bundle imported: measure error_rate.", "above its bound", "other", False,
    )  # fmt: skip
