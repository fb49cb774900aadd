"""Recipes, trainings and jobs over HTTP: who may do what, what is refused, and what a version's owner declares."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from review.learning.recipe import Elsewhere
from review.learning.recipe_folder import read_recipe
from tests.integration.api.conftest import Api
from tests.integration.learning.recipes import LEARN, write_recipe
from tests.integration.learning.test_evaluating import DRAWN, TRUTH
from tests.integration.registry.scene import CARD
from tests.models import softmax
from tests.outcomes import Settled, ground, numbers, settle

NIL = "00000000-0000-7000-8000-000000000000"
TRAINING = "/models/numbers/training"


@pytest.fixture
async def api(api: Api, tmp_path: Path) -> Api:
    """A model that serves, beside a folder with one recipe."""
    await api.add()
    write_recipe(tmp_path / "recipes", "learn", LEARN)
    return api


async def frozen(api: Api, folder: Path, model: str = "numbers") -> str:
    """A dataset of the model's outcomes."""
    async with api.scene.ledger.writing() as w:
        where = await ground(w, model, folder / "objects")
        pairs = zip(DRAWN[:30].tolist(), TRUTH, strict=False)
        await settle(w, where, [Settled(inputs=numbers(row), answers=(truth,)) for row, truth in pairs])
    answer = await api.ask("operator", "POST", f"/models/{model}/datasets", json={}, timeout=60)
    dataset: str = answer.json()["dataset"]
    return dataset


async def code(api: Api, method: str, path: str, **body: Any) -> tuple[int, str]:
    """Status and code of what an operator is answered."""
    answer = await api.ask("operator", method, path, json=body)
    return answer.status_code, answer.json().get("code", "")


async def test_only_operators_declare_train_and_cancel(api: Api) -> None:
    """Everybody who looks may see how a model is retrained; only inspectors read a log."""
    asked = (
        ("PUT", f"{TRAINING}/recipe", {"name": "learn"}),
        ("PUT", f"{TRAINING}/trigger", {"after_corrections": 5}),
        ("DELETE", f"{TRAINING}/trigger", None),
        ("PUT", f"{TRAINING}/required", {"required": True}),
        ("POST", "/models/numbers/trainings", {"dataset": "0" * 64}),
        ("POST", f"/jobs/{NIL}/cancel", None),
    )
    for who in ("reviewer", "auditor", "admin"):
        for method, path, body in asked:
            assert (await api.ask(who, method, path, json=body)).status_code == 403
    for path in (TRAINING, "/models/numbers/trainings", "/jobs"):
        assert (await api.ask("reviewer", "GET", path)).status_code == 200
    assert (await api.ask("reviewer", "GET", f"/jobs/{NIL}/log")).status_code == 403
    for path in (f"/jobs/{NIL}/log", f"/jobs/{NIL}", "/models/none/training", "/models/none/trainings"):
        assert (await api.ask("auditor", "GET", path)).status_code == 404


async def test_a_training_is_asked_for_and_cancelled(api: Api, tmp_path: Path) -> None:
    """What cannot be trained is refused by name; the same training is one job; it is cancelled once."""
    dataset = await frozen(api, tmp_path)
    trainings = "/models/numbers/trainings"
    assert await code(api, "POST", trainings, dataset=dataset) == (409, "no-recipe")
    assert await code(api, "PUT", f"{TRAINING}/trigger", after_corrections=5) == (409, "no-recipe")
    assert await code(api, "PUT", f"{TRAINING}/recipe", name="other") == (404, "unknown-recipe")
    shown = (await api.ask("ci", "PUT", f"{TRAINING}/recipe", json={"name": "learn"})).json()
    assert (shown["recipe"]["parameters"], shown["recipes"], shown["new_corrections"]) == ({"weight": 2}, ["learn"], 0)
    assert await code(api, "POST", trainings, dataset="0000") == (404, "unknown-dataset")
    assert await code(api, "POST", trainings, dataset=dataset, parameters={"wieght": 3}) == (400, "recipe-refused")
    await api.add("others")
    assert (await api.ask("ci", "PUT", "/models/others/training/recipe", json={"name": "learn"})).status_code == 200
    assert await code(api, "POST", "/models/others/trainings", dataset=dataset) == (409, "dataset-of-other-model")

    job = (await api.ask("operator", "POST", trainings, json={"dataset": dataset[:12], "why": "first"})).json()
    again = (await api.ask("operator", "POST", trainings, json={"dataset": dataset})).json()
    other = (await api.ask("operator", "POST", trainings, json={"dataset": dataset, "seed": 8})).json()
    assert (job["state"], again["id"], other["seed"]) == ("waiting", job["id"], 8)
    assert other["id"] != job["id"]
    assert [each["id"] for each in (await api.ask("auditor", "GET", trainings)).json()] == [other["id"], job["id"]]
    assert (await api.ask("auditor", "GET", f"/jobs/{job['id']}/log")).text == ""
    assert (await api.ask("ci", "POST", f"/jobs/{job['id']}/cancel")).json()["state"] == "cancelled"
    assert await code(api, "POST", f"/jobs/{job['id']}/cancel") == (409, "job-over")


async def test_a_version_trained_elsewhere_declares_its_recipe(api: Api, tmp_path: Path) -> None:
    """It is shown as declared; where operators require one, the gate refuses the release that has none."""
    recipe = read_recipe(tmp_path / "recipes" / "learn" / "recipe.toml", "numbers")
    declared = msgspec.json.encode(Elsewhere(recipe=recipe, dataset="d" * 64))
    for producer, more in ((b"other", {}), (b"third", {"recipe": ("recipe.json", declared)})):
        files = {"file": ("model.onnx", softmax() + b"\x12\x05" + producer), "card": ("model.toml", CARD)} | more
        added = await api.ask("operator", "POST", "/models/numbers/versions", files=files, timeout=60)
        assert added.is_success, added.text
    releases = "/models/numbers/releases"
    assert (await api.ask("auditor", "GET", f"{releases}/2")).json()["training"] is None
    record = (await api.ask("auditor", "GET", f"{releases}/3")).json()["training"]
    assert (record["trained"], record["dataset"], record["recipe"]["commit"]) == ("elsewhere", "d" * 64, "abc123")
    assert [file["path"] for file in record["recipe"]["files"]] == ["train.py"]
    assert (await api.ask("auditor", "GET", "/models/numbers")).json()["training"] is None

    await api.ask("operator", "PUT", f"{TRAINING}/required", json={"required": True})
    said = [(await api.ask("auditor", "GET", f"{releases}/{number}/gate")).json() for number in (2, 3)]
    checks = [{check["name"]: check["verdict"] for check in gate["checks"]} for gate in said]
    assert [gate["verdict"] for gate in said] == ["refuse", "wait"]
    assert [each["recipe"] for each in checks] == ["refuse", "promote"]
    headers = {"authorization": f"Bearer {api.keys['operator']}"}
    pages = [await api.scene.http.get(f"/console/models/numbers/releases/{n}", headers=headers) for n in (2, 3)]
    assert ["No recipe is recorded" in page.text for page in pages] == [True, False]
    assert "Elsewhere, as its owner says" in pages[1].text


async def test_an_odd_declaration_is_refused(api: Api) -> None:
    """Whatever is sent as a recipe: a sentence, and no version."""
    for declared in (b"{", b"[]", b"{}", b"\xff", b"[" * 10_000, b'{"recipe": ' + b"1" * 200_000 + b"}"):
        files = {"file": ("model.onnx", softmax()), "card": ("model.toml", CARD), "recipe": ("recipe.json", declared)}
        answer = await api.ask("operator", "POST", "/models/numbers/versions", files=files, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (400, "recipe-refused")
    assert len((await api.ask("operator", "GET", "/models/numbers/releases")).json()) == 1
