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
ROWS = [[round(DRAWN.gauss(0, 1), 3) for _ in range(4)] for _ in range(24)]
"""Always the same items, so that it is always the same of them that are held out."""


async def make_candidate(scene: Scene, folder: Path) -> str:
    """A release 2 that was trained with what people said, and evaluated on what was held out; the dataset."""
    scene.found(MODEL)
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        await reviewer.settle(await caller.hold(MODEL, request(*ROWS)), "correct", "low")
    dataset: str = scene.server.json("datasets", "freeze", MODEL)["dataset"]
    (folder / "model.onnx").write_bytes(contrary())
    (folder / "model.toml").write_text(card())
    files = (folder / "model.onnx", "--card", folder / "model.toml")
    added = scene.server.json("models", "add", MODEL, *files, "--data", dataset[:12])
    assert added["release"] == f"{MODEL}@2"
    scene.server.run("evaluate", f"{MODEL}@2", "--dataset", dataset)
    return dataset


async def test_a_bundle_is_taken_by_command_and_verified_without_a_server(scene: Scene, tmp_path: Path) -> None:
    """It replays its report; a changed byte is named with exit code 1; what is no bundle is told in one sentence."""
    dataset = await make_candidate(scene, tmp_path)
    file = tmp_path / "release.zip"
    taken = scene.server.json("bundle", f"{MODEL}@2", "--out", file)
    assert (taken["release"], taken["bytes"]) == (f"{MODEL}@2", file.stat().st_size)
    said = scene.server.json("bundle", "verify", file, "--replay")
    assert (said["verified"]["bundle"], said["verified"]["faults"]) == (taken["bundle"], [])
    assert (said["replayed"]["made"], said["replayed"]["difference"]) == (said["replayed"]["report"], "")
    assert "the same bytes" in scene.server.run("bundle", "verify", file, "--replay").stdout
    broken = tmp_path / "broken.zip"
    shutil.copyfile(file, broken)
    broken.write_bytes(broken.read_bytes().replace(b'"release":"bundled@2"', b'"release":"bundled@3"'))
    done = scene.server.run("bundle", "verify", broken, "--json", check=False)
    assert done.returncode == 1
    assert {"file": "release.json", "fault": "changed"} in json.loads(done.stdout)["verified"]["faults"]
    refused = scene.server.run("bundle", "verify", tmp_path / "model.onnx", check=False)
    assert (refused.returncode, "This is no bundle that can be read" in refused.stderr) == (1, True)
    assert dataset in scene.server.run("releases", "show", f"{MODEL}@2").stdout


@pytest.mark.parametrize(("roles", "status"), [(("auditor",), 200), (("reviewer", "lead"), 403), (("admin",), 403)])
async def test_only_operators_and_auditors_take_a_bundle(scene: Scene, roles: tuple[str, ...], status: int) -> None:
    """It holds everything that people said; it comes as a file with its name and its length."""
    _, key = scene.make_person("Somebody", f"{roles[0]}-bundle@example.org", *roles)
    with scene.server.client(key) as client:
        answer = client.get("/api/v1/models/grades/releases/1/bundle")
    assert answer.status_code == status
    if status == httpx.codes.OK:
        assert answer.headers["content-disposition"] == 'attachment; filename="grades-1.bundle.zip"'
        assert int(answer.headers["content-length"]) == len(answer.content)
