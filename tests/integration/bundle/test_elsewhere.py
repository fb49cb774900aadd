"""The bundle of a release that runs on another server: what stands for the model, and what can and cannot be proven."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway.inference.report import AdmissionLimits
from gateway.inference.upstream_errors import UpstreamNotAllowed
from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.objects import digest_of
from review.bundle.errors import ImportRefused
from review.bundle.importing import Admission, Imported, bring_in
from review.bundle.replaying import replay
from review.bundle.taking import pieces, take
from review.bundle.verifying import require_whole
from review.learning.evaluating import evaluate
from review.learning.report import Evaluated
from review.release.looking import show_release
from tests.integration.bundle.forging import forged, says
from tests.integration.bundle.scene import on_sqlite
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.elsewhere import Server, add_elsewhere, elsewhere
from tests.integration.learning.test_evaluating import frozen, task
from tests.integration.release.scene import operator_of


async def evaluated(learning: Learning, server: Server) -> Evaluated:
    """A release 2 that runs elsewhere, evaluated beside the file that serves."""
    dataset = await frozen(learning)
    await add_elsewhere(learning, server)
    asked = msgspec.structs.replace(task(learning, f"{MODEL}@2", dataset), upstreams=server.allowed)
    return await evaluate(learning.ledger, asked)


async def bundled(learning: Learning, number: int = 2) -> Path:
    """The bundle of a release as a file."""
    scene = learning.scene
    taken = await take(scene.ledger, scene.artifacts, operator_of(scene.tenant_id), MODEL, number, scene.folder)
    path = scene.folder / f"{number}.zip"
    path.write_bytes(b"".join([piece async for piece in pieces(taken.file)]))
    return path


async def bring(learning: Learning, path: Path, allowed: AllowedUpstreams) -> Imported:
    """Import a bundle where these servers may be called."""
    scene, admission = learning.scene, Admission(limits=AdmissionLimits(), upstreams=allowed)
    return await bring_in(scene.ledger, scene.artifacts, operator_of(scene.tenant_id), path, admission)


def without(path: str) -> Callable[[dict[str, bytes]], None]:
    """A change that takes a file away."""
    return lambda members: members.__delitem__(path)


@on_sqlite
async def test_a_bundle_holds_the_description_and_what_was_said(learning: Learning) -> None:
    """Its digest is the one that report and release name; what no file can prove is said; and with the server gone the
    report is made again to the byte, from what was said then."""
    async with elsewhere() as server:
        done = await evaluated(learning, server)
        address = server.address
    path = await bundled(learning)
    verified = require_whole(path)
    with zipfile.ZipFile(path) as archive:
        description = archive.read("upstream.json")
        report, release = (
            msgspec.json.decode(archive.read(f"{each}.json")) for each in ("evaluation/report", "release")
        )
        assert len(msgspec.json.decode(archive.read("evaluation/candidate-heard.json"))["said"]) == report["held_out"]
    assert {digest_of(description)} == {report["candidate"]["artifact"], release["model_file"]}
    assert msgspec.json.decode(description)["model"] == "theirs"
    absent = {each.role: each.why for each in verified.absent}
    assert address in absent["model"]
    assert len(verified.unproven) == 2
    assert "nothing here can prove which bytes answer there" in verified.unproven[0]
    shown = await show_release(learning.ledger, learning.scene.tenant_id, MODEL, 2)
    assert "model" not in {each.role for each in shown.attached}
    replayed = await replay(path)
    assert (replayed.made, replayed.difference, replayed.not_run) == (done.report, "", (f"{MODEL}@2",))


@on_sqlite
async def test_it_is_brought_in_where_its_server_may_be_called_and_is_as_it_was(learning: Learning) -> None:
    """Elsewhere it is refused, and so is one whose parts contradict each other; brought in it is the same description,
    and its own bundle replays the report of its origin."""
    async with elsewhere() as server:
        done, path = await evaluated(learning, server), await bundled(learning)
        with pytest.raises(UpstreamNotAllowed):
            await bring(learning, path, AllowedUpstreams())
        for change, word in (
            (without("upstream.json"), "no model file, and no upstream"),
            (lambda members: members.update({"upstream.json": members["upstream.json"] + b" "}), "does not describe"),
            (says("upstream.json", place="../x:1"), "does not describe"),
            (says("upstream.json", version="4"), "about another model file"),
            (without("evaluation/candidate-heard.json"), "said on another server is missing"),
        ):
            with pytest.raises(ImportRefused, match=word):
                await bring(learning, forged(path, change), server.allowed)
        server.features = 5
        with pytest.raises(ImportRefused, match="takes or gives other tensors"):
            await bring(learning, path, server.allowed)
        server.features = 4
        imported = await bring(learning, path, server.allowed)
    assert (imported.release, imported.new, imported.founding) == (f"{MODEL}@3", True, False)
    back = await bundled(learning, 3)
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(back) as other:
        assert one.read("upstream.json") == other.read("upstream.json")
    replayed = await replay(back)
    assert (replayed.made, replayed.difference) == (done.report, "")
