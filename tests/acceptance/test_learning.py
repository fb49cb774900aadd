"""From a correction to a frozen dataset and an evaluation of the champion, through a real server and its commands."""

from tests.acceptance.cards import doubtful, request
from tests.acceptance.scene import Json, Scene, eventually

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


async def test_the_champion_is_measured_after_a_freeze_and_on_demand(scene: Scene) -> None:
    """The worker measures it on each correction, and evaluates it after the freeze, both by itself; the commands say in
    words what was found."""
    scene.found("measured")
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        for _ in range(2):
            held = await caller.hold("measured", request(*(doubtful() for _ in range(12))))
            await reviewer.settle(held, "correct", "high")
        case = (await reviewer.cases(model="measured"))[0]["id"]

    async def effect() -> list[Json]:
        told = scene.operator.get(f"/api/v1/cases/{case}/effect")
        return [told.json()] if told.is_success else []

    (told,) = await eventually(effect, "what a correction changed", 60.0)
    assert told["effect"]["champion"]["release"] == "measured@1"
    assert told["about_item"][0] in scene.server.run("cases", "effect", case).stdout
    dataset = scene.server.json("datasets", "freeze", "measured")["dataset"]

    async def evaluations() -> list[Json]:
        found: list[Json] = scene.operator.get("/api/v1/releases/measured@1/evaluations").json()
        return found

    (line,) = await eventually(evaluations, "an evaluation of the champion", 60.0)
    done = scene.server.json("evaluate", "measured@1", "--dataset", dataset[:12])
    assert (done["id"], done["new"], done["report"]) == (line["id"], False, line["report"])
    assert "held-out items" in scene.server.run("evaluate", "measured@1", "--dataset", dataset).stdout
