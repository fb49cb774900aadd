"""From a correction to a frozen dataset, through a real server and its command."""

from tests.acceptance.cards import doubtful, request
from tests.acceptance.scene import Scene

MODEL = "learning"


async def test_what_people_said_is_frozen_by_command(scene: Scene) -> None:
    """A reviewer's corrections become a dataset; freezing again finds it, and a difference says what came since."""
    scene.found(MODEL)
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        for answer in ("low", "high"):
            await reviewer.settle(await caller.hold(MODEL, request(doubtful(), doubtful())), "correct", answer)
        freeze = ("datasets", "freeze", MODEL)
        first, again = scene.server.json(*freeze), scene.server.json(*freeze)
        assert (first["new"], again["new"], again["dataset"]) == (True, False, first["dataset"])
        assert first["manifest"]["classes"] == {"high": 2, "low": 2}
        assert first["manifest"]["annotations"]["rows"] == 4
        await reviewer.settle(await caller.hold(MODEL, request(doubtful())), "correct", "low")
        second = scene.server.json(*freeze)
    shown = scene.server.json("datasets", "diff", first["dataset"][:12], second["dataset"])
    assert (shown["came"], shown["went"], shown["changed"]) == (1, 0, 0)
    assert len(scene.server.json("datasets", "list", MODEL)) == 2
