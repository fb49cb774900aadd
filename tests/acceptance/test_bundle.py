"""A release that learned from people, taken as a bundle by command and verified without any server."""

import json
import random
import shutil
from pathlib import Path

import httpx
import pytest

from tests.acceptance.cards import card, request
from tests.acceptance.scene import Scene
from tests.models import contrary

MODEL = "bundled"
DRAWN = random.Random(7)
ROWS = [[round(DRAWN.gauss(0, 1), 3) for _ in range(4)] for _ in range(8)]
"""Always the same items, so that it is always the same of them that are held out."""


async def make_candidate(scene: Scene, folder: Path) -> None:
    """A release 2 that was trained with what people said, and evaluated on what was held out."""
    scene.found(MODEL)
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        await reviewer.settle(await caller.hold(MODEL, request(*ROWS)), "correct", "low")
    frozen = scene.operator.post(f"/api/v1/models/{MODEL}/datasets", json={})
    dataset: str = frozen.json()["dataset"]
    (folder / "model.onnx").write_bytes(contrary())
    (folder / "model.toml").write_text(card())
    files = (folder / "model.onnx", "--card", folder / "model.toml")
    added = scene.server.json("models", "add", MODEL, *files, "--data", dataset[:12])
    assert added["release"] == f"{MODEL}@2"
    path = f"/api/v1/releases/{MODEL}@2/evaluations"
    assert scene.operator.post(path, json={"dataset": dataset}).is_success


async def test_a_bundle_is_taken_by_command_and_verified_without_a_server(scene: Scene, tmp_path: Path) -> None:
    """It replays its report; a changed byte is named with exit code 1; brought back it is one more release, once."""
    await make_candidate(scene, tmp_path)
    file = tmp_path / "release.zip"
    taken = scene.server.json("bundle", f"{MODEL}@2", "--out", file)
    assert (taken["release"], taken["bytes"]) == (f"{MODEL}@2", file.stat().st_size)
    said = scene.server.run("bundle", "verify", file, "--replay").stdout
    assert taken["bundle"] in said
    assert "made again from the bundle alone: the same bytes" in said
    broken = tmp_path / "broken.zip"
    shutil.copyfile(file, broken)
    broken.write_bytes(broken.read_bytes().replace(b'"release":"bundled@2"', b'"release":"bundled@3"'))
    done = scene.server.run("bundle", "verify", broken, "--json", check=False)
    assert done.returncode == 1
    assert {"file": "release.json", "fault": "changed"} in json.loads(done.stdout)["verified"]["faults"]
    imported = scene.server.json("bundle", "import", file)
    assert (imported["came_as"], imported["release"], imported["new"]) == (f"{MODEL}@2", f"{MODEL}@3", True)
    assert "Nothing was changed." in scene.server.run("bundle", "import", file).stdout


@pytest.mark.parametrize(("roles", "status"), [(("auditor",), 200), (("reviewer", "lead"), 403), (("admin",), 403)])
async def test_only_operators_and_auditors_take_a_bundle(scene: Scene, roles: tuple[str, ...], status: int) -> None:
    """It holds all that people said, and comes as a file with name and length. None of these imports one."""
    _, key = scene.make_person("Somebody", f"{roles[0]}-bundle@example.org", *roles)
    with scene.server.client(key) as client:
        answer = client.get("/api/v1/models/grades/releases/1/bundle")
        assert client.post("/api/v1/bundles", files={"file": ("bundle.zip", b"PK")}).status_code == 403
    assert answer.status_code == status
    if status == httpx.codes.OK:
        assert answer.headers["content-disposition"] == 'attachment; filename="grades-1.bundle.zip"'
        assert int(answer.headers["content-length"]) == len(answer.content)
