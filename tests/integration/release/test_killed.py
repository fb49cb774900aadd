"""`kill -9` in the middle of a promotion and a rollback: either all of it happened or nothing did."""

import pytest

from review.release.errors import AlreadyServes
from tests.integration.release.scene import MODEL, Scene
from tests.integration.release.test_any_order import Story, agree
from tests.killed import killed_at


async def test_a_killed_move_happened_whole_or_not_at_all(
    scene: Scene, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its commit a move has left nothing, and is asked for again; killed after it, it is done: pointer,
    history, marks, events and what a gateway follows tell one story each time."""
    monkeypatch.setenv("LOCKGATE_DATABASE_URL", ledger_url)
    story = Story()
    story.releases = number = await scene.release()
    promoting = ("tests.promote", ledger_url, scene.registry.artifacts.directory.root, MODEL, number)
    folder = scene.registry.folder
    rolling_back = ("lockgate", "rollback", MODEL, "--local", "--yes", "--why", "worse", "--data-directory", folder)

    await killed_at("commit", 1, *promoting)
    await agree(scene, story)
    await killed_at("committed", 1, *promoting)
    assert story.promote(number)
    await agree(scene, story)
    with pytest.raises(AlreadyServes):
        await scene.promote(number)

    await killed_at("commit", 1, *rolling_back)
    await agree(scene, story)
    await killed_at("committed", 1, *rolling_back)
    assert story.roll_back(None)
    await agree(scene, story)
    story.releases = again = await scene.release()
    await scene.promote(again)
    assert story.promote(again)
    await agree(scene, story)
