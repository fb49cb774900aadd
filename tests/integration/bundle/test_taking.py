"""The bundle of a release on both databases: what is in it, that it is the same each time, and that it replays."""

import zipfile

import msgspec
import pytest

from gateway.record.objects import digest_of
from gateway.store.events import latest_event
from review.bundle.errors import BundleIncomplete, NothingToReplay
from review.bundle.replaying import replay
from review.bundle.verifying import require_whole
from review.errors import NotAllowed
from review.release.errors import NoSuchRelease
from review.release.looking import show_release
from tests.integration.bundle.forging import forged, says
from tests.integration.bundle.scene import make_ready, on_sqlite
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.release.scene import damage


async def test_a_bundle_holds_what_the_release_is_made_of(learning: Learning) -> None:
    """Each file has the digest that the ledger names; the trial says who opened it; what is absent is told."""
    ready = await make_ready(learning)
    path = await ready.file()
    verified = require_whole(path)
    shown = await show_release(learning.ledger, learning.scene.tenant_id, MODEL, 2)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    digests = {name: digest_of(data) for name, data in files.items()}
    assert digests["data/manifest.json"] == ready.dataset
    assert digests["evaluation/report.json"] == ready.evaluated.report
    assert digests["evaluation/report.html"] == ready.evaluated.html
    assert [digests[name] for name in ("model.onnx", "policy.json", "label_schema.json", "guideline.md")] == list(
        shown.digests.values()
    )
    (trial,) = msgspec.json.decode(files["trials.json"])
    assert (trial["opened_by"], trial["disagreement_probability"], trial["closed_us"]) == (ready.operator.by, 0.5, None)
    assert [(each["type"], each["why"]) for each in trial["happened"]] == [("trial.opened", "it may be better")]
    assert trial["evidence"]["compared"] == 0
    assert {absent.role: absent.why for absent in verified.absent} == {
        "measured": "The report was made on the data that the release learned from, on what is held out of it.",
        "recipe": "Nobody said how the version was trained.",
        "serving": "The release never served.",
    }


async def test_the_same_release_is_the_same_bytes_and_each_taking_is_recorded(learning: Learning) -> None:
    """Taken twice it is one file, and two events name it with who took it."""
    ready = await make_ready(learning)
    one, other = await ready.file("one.zip"), await ready.file("other.zip")
    assert one.read_bytes() == other.read_bytes()
    async with learning.ledger.reading() as r:
        event = await latest_event(r, learning.scene.tenant_id, f"model:{MODEL}", "release.bundled")
    assert event is not None
    told = msgspec.json.decode(event.data)
    assert (told["bundle"], told["bytes"]) == (require_whole(one).bundle, one.stat().st_size)
    assert event.by == ready.operator.by
    taken = [each for each in await learning.scene.events() if each[0] == "release.bundled"]
    assert len(taken) == 2


@on_sqlite
async def test_the_report_is_made_again_from_the_bundle_alone(learning: Learning) -> None:
    """Byte for byte; a report that says something else, packed with digests that fit, is found out."""
    ready = await make_ready(learning)
    path = await ready.file()
    replayed = await replay(path)
    assert (replayed.made, replayed.difference) == (ready.evaluated.report, "")
    better = await replay(forged(path, says("evaluation/report.json", held_out=999)))
    assert better.made == ready.evaluated.report
    assert better.difference.startswith("held_out: 999 in the bundle, ")


@on_sqlite
async def test_a_founding_release_is_bundled_with_what_it_has(learning: Learning) -> None:
    """Its absent data and report are told, and so is that it serves; it has nothing to replay."""
    ready = await make_ready(learning)
    path = await ready.file(number=1)
    absent = {each.role for each in require_whole(path).absent}
    assert absent == {"data", "annotations", "report", "subject", "measured", "baseline", "trial", "recipe"}
    with zipfile.ZipFile(path) as archive:
        (served,) = msgspec.json.decode(archive.read("serving.json"))
    assert (served["action"], served["until_us"]) == ("founded", None)
    with pytest.raises(NothingToReplay, match="was not evaluated"):
        await replay(path)


@on_sqlite
async def test_what_cannot_be_bundled_is_refused(learning: Learning) -> None:
    """No such release, a reviewer, and a file that is not what it was, which is named; nothing is recorded."""
    ready = await make_ready(learning)
    with pytest.raises(NoSuchRelease):
        await ready.take(9)
    reviewer = msgspec.structs.replace(ready.operator, roles=frozenset({("reviewer", None), ("lead", None)}))
    with pytest.raises(NotAllowed):
        await msgspec.structs.replace(ready, operator=reviewer).take()
    damage(learning.scene.artifacts.directory.path(ready.dataset))
    with pytest.raises(BundleIncomplete, match=r"data snapshot .* has other bytes"):
        await ready.take()
    assert "release.bundled" not in {type_ for type_, _ in await learning.scene.events()}
