"""From corrections to a release that learned from them, through a real server and its commands."""

from tests.acceptance.cards import doubtful, request
from tests.acceptance.scene import Json, Scene, eventually
from tests.integration.learning.recipes import HANG, LEARN, write_recipe

MODEL = "trained"


async def test_a_model_is_trained_by_command_and_by_itself(scene: Scene) -> None:
    """The command waits for the release; cancelled it makes none; after a correction the worker freezes and trains."""
    scene.found(MODEL)
    recipes = scene.server.folder / "recipes"
    write_recipe(recipes, "learn", LEARN)
    write_recipe(recipes, "hang", HANG)
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(*(doubtful() for _ in range(24))))
        await reviewer.settle(held, "correct", "low")
        dataset = scene.server.json("datasets", "freeze", MODEL)["dataset"]
        assert "no recipe" in scene.server.run("recipe", "show", MODEL).stdout

        scene.server.json("recipe", "set", MODEL, "hang")
        hanging = scene.server.json("train", MODEL, "--dataset", dataset[:12], "--no-wait")["id"]
        await eventually(lambda: printed(scene, hanging), "a command that runs", 60.0)
        assert scene.server.json("jobs", "cancel", hanging)["state"] == "cancelled"

        assert scene.server.json("recipe", "set", MODEL, "learn")["new_corrections"] == 0
        done = scene.server.json("train", MODEL, "--dataset", dataset[:12], "--set", "weight=3")
        assert (done["state"], done["result"]["release"], done["parameters"]) == ("done", f"{MODEL}@2", {"weight": 3})
        assert done["result"]["evaluation"] is not None
        assert '"weight": 3' in scene.server.run("jobs", "log", done["id"]).stdout
        assert "by the recipe learn" in scene.server.run("releases", "show", f"{MODEL}@2").stdout
        assert "no recipe is recorded" in scene.server.run("releases", "show", f"{MODEL}@1").stdout

        assert scene.server.json("train", "trigger", MODEL, "--after", "1")["after_corrections"] == 1
        await reviewer.settle(await caller.hold(MODEL, request(doubtful())), "correct", "low")
    job = await eventually(lambda: by_itself(scene), "a training that the trigger began and ended", 180.0)
    assert (job["state"], job["by"], job["result"]["release"]) == ("done", "worker", f"{MODEL}@3")
    assert scene.server.json("train", "trigger", MODEL, "--off")["after_corrections"] is None
    assert len(scene.server.json("jobs", "list", MODEL)) == 3


async def printed(scene: Scene, job: str) -> str:
    """What a training's command has printed."""
    return scene.operator.get(f"/api/v1/jobs/{job}/log").text


async def by_itself(scene: Scene) -> Json | None:
    """The model's newest training, when it was not asked for by anybody and is over."""
    newest: Json = scene.operator.get(f"/api/v1/models/{MODEL}/trainings").json()[0]
    return newest if newest["by"] == "worker" and newest["state"] not in {"waiting", "running"} else None
