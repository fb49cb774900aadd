"""What belongs to a release, and what of it is still what it was; and the events that are its history."""

from gateway.store.events import Span, events_on, position_events
from gateway.store.models import known_model
from review.release.looking import known_release
from review.release.parts import Part, look_at, read_parts
from tests.integration.release.scene import MODEL, Scene, damage


async def parts(scene: Scene, number: int) -> dict[str, Part]:
    """The parts of a release by their names, as they are found now."""
    async with scene.registry.ledger.reading() as r:
        model = await known_model(r, scene.registry.tenant_id, MODEL)
        named = await read_parts(r, model, await known_release(r, model, number))
    return {part.name: part for part in await look_at(scene.registry.artifacts, named)}


async def test_each_part_is_told_as_it_is_found(scene: Scene) -> None:
    """Documents and files are kept under their digests, what was never there says why, and what is damaged or gone is
    not passed over."""
    found = await parts(scene, 1)
    assert {name: part.kept for name, part in found.items()} == {
        "Model file": "kept", "Card": "kept", "Policy": "kept", "Label schema": "kept", "Guideline": "kept",
        "Data snapshot": "absent", "Annotation history": "absent", "Evaluation report": "absent", "Recipe": "absent",
    }  # fmt: skip
    assert found["Recipe"].why == "Nobody said how its version was trained."
    assert all(len(part.sha256) == 64 for part in found.values() if part.kept == "kept")
    path = await scene.registry.artifacts.local_path(found["Model file"].sha256)
    damage(path)
    assert (await parts(scene, 1))["Model file"].kept == "changed"
    path.unlink()
    assert (await parts(scene, 1))["Model file"].kept == "missing"


async def test_the_history_of_a_release_is_what_names_it(scene: Scene) -> None:
    """Also as the one that another release took the place of; a release whose number begins the same is another one."""
    others = [await scene.release(audit_rate=0.006 + number / 1000) for number in range(9)]
    await scene.promote(others[-1])
    await scene.roll_back()
    async with scene.registry.ledger.writing() as w:
        await position_events(w)
    async with scene.registry.ledger.reading() as r:
        names = {
            name: [
                event.type
                for event in await events_on(
                    r, scene.registry.tenant_id, Span(subjects=(f"model:{MODEL}",), limit=100, naming=name)
                )
            ]
            for name in (f"{MODEL}@1", f"{MODEL}@10", "number_@1", "%@1")
        }
    assert names == {
        f"{MODEL}@1": ["version.added", "release.founded", "release.promoted", "release.rolled_back"],
        f"{MODEL}@10": ["release.promoted", "release.rolled_back"],
        "number_@1": [], "%@1": [],
    }  # fmt: skip
