"""Bundles as a stranger may send them: what is named, and what is refused before anything is unpacked."""

import io
import shutil
import stat
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.record.objects import ObjectDirectory
from review.bundle.archive import write_archive
from review.bundle.contents import Contents, Part
from review.bundle.errors import BundleDamaged, NotABundle
from review.bundle.manifest import FORMAT, Absent, Entry, Manifest, is_plain_name
from review.bundle.replaying import difference
from review.bundle.verifying import require_whole, verify

PARTS = (
    Part(path="card.json", role="card", data=b'{"a": 1}'),
    Part(path="data/items.parquet", role="data", data=b"PAR1" * 400),
    Part(path="guideline.md", role="guideline", data=b"Which class?"),
)
Change = Callable[[dict[str, bytes]], None]


def bundle(path: Path) -> Path:
    """A whole bundle of three files."""
    files = tuple(
        Entry(path=part.path, role=part.role, bytes=len(part.data or b""), sha256=part.sha256) for part in PARTS
    )
    absent = (Absent(role="recipe", why="Nobody said how the version was trained."),)
    manifest = Manifest(format=FORMAT, model="numbers", release="numbers@2", files=files, absent=absent)
    with path.open("w+b") as file:
        write_archive(file, Contents(manifest=manifest, parts=PARTS), ObjectDirectory(path.parent / "artifacts"))
    return path


def rewritten(path: Path, change: Change) -> Path:
    """The bundle with changed members, packed again."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_whole_bundle_is_whole(tmp_path: Path) -> None:
    """It says what it is, what is absent and why; its name is the digest of its manifest; twice made is the same."""
    path = bundle(tmp_path / "one.zip")
    found = require_whole(path)
    assert (found.release, found.files, found.bytes) == ("numbers@2", 3, 8 + 1600 + 12)
    assert [absent.why for absent in found.absent] == ["Nobody said how the version was trained."]
    assert bundle(tmp_path / "two.zip").read_bytes() == path.read_bytes()


def test_other_peoples_tools_verify_it(tmp_path: Path) -> None:
    """After unzip, `sha256sum -c` accepts every file, the manifest included; a changed one it names."""
    with zipfile.ZipFile(bundle(tmp_path / "one.zip")) as archive:
        archive.extractall(tmp_path / "out")
    sha256sum = shutil.which("sha256sum")
    assert sha256sum is not None
    command = [sha256sum, "-c", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name}: OK" for name in ("manifest.json", *(part.path for part in PARTS))]
    (tmp_path / "out" / "card.json").write_text("{}")
    done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert (done.returncode, "card.json: FAILED" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (lambda files: files.update({"card.json": b'{"a": 2}'}), [("card.json", "changed")]),
        (lambda files: files.update({"guideline.md": b""}), [("guideline.md", "changed")]),
        (lambda files: files.pop("data/items.parquet"), [("data/items.parquet", "missing")]),
        (lambda files: files.update({"data/more.parquet": b"x"}), [("data/more.parquet", "extra")]),
        (lambda files: files.pop("SHA256SUMS"), [("SHA256SUMS", "missing")]),
        (lambda files: files.update({"SHA256SUMS": b"x"}), [("SHA256SUMS", "changed")]),
        (lambda files: files.update({"SHA256SUMS": files["SHA256SUMS"] + b"\n"}), [("SHA256SUMS", "changed")]),
    ],
)
def test_what_was_tampered_with_is_named(tmp_path: Path, change: Change, faults: list[tuple[str, str]]) -> None:
    """Changed, missing or added: the file, and what is wrong with it."""
    path = rewritten(bundle(tmp_path / "one.zip"), change)
    assert [(each.file, each.fault) for each in verify(path).faults] == faults
    with pytest.raises(BundleDamaged, match=faults[0][0]):
        require_whole(path)


def test_a_flipped_byte_is_named(tmp_path: Path) -> None:
    """Also where the zip's own checksum notices first."""
    path = bundle(tmp_path / "one.zip")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"Which class?", b"Which glass?"))
    assert [(each.file, each.fault) for each in verify(path).faults] == [("guideline.md", "changed")]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda files: files.pop("manifest.json"), "has no manifest.json"),
        (lambda files: files.update({"manifest.json": b"{"}), "manifest.json cannot be read"),
        (lambda files: files.update({"manifest.json": b"{}"}), "manifest.json cannot be read"),
        (lambda files: files.update({"manifest.json": b" " * (1 << 20) + b" "}), "larger than a manifest"),
        (
            lambda files: files.update({"manifest.json": files["manifest.json"].replace(b"bundle/1", b"bundle/2")}),
            "has the format lockgate.bundle/2",
        ),
        (lambda files: files.update({"../evil": b"x"}), "../evil' is no name"),
        (lambda files: files.update({"/etc/passwd": b"x"}), "is no name"),
        (lambda files: files.update({"data\\evil": b"x"}), "is no name"),
        (lambda files: files.update({"data/": b""}), "is no name"),
        (lambda files: files.update({"data/../../evil": b"x"}), "is no name"),
        (lambda files: files.update({"CARD.json": b"x"}), "occurs twice"),
        (lambda files: files.update({f"f{number}": b"" for number in range(200)}), "more than 200 files"),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, change: Change, fault: str) -> None:
    """Without a manifest, with names that lead elsewhere or meet each other, with too many of them."""
    with pytest.raises(NotABundle) as refused:
        verify(rewritten(bundle(tmp_path / "one.zip"), change))
    assert fault in str(refused.value)


def hostile(add: Callable[[zipfile.ZipFile], None]) -> bytes:
    """A zip that is made by hand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        add(archive)
    return file.getvalue()


def linked(archive: zipfile.ZipFile) -> None:
    """A link instead of a file."""
    info = zipfile.ZipInfo("card.json")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def doubled(archive: zipfile.ZipFile) -> None:
    """One name twice."""
    archive.writestr("card.json", b"1")
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("card.json", b"2")


def swollen(archive: zipfile.ZipFile) -> None:
    """A bomb: a megabyte of nothing in a few bytes."""
    archive.writestr("card.json", bytes(1 << 20), compress_type=zipfile.ZIP_DEFLATED)


def overlapping(archive: zipfile.ZipFile) -> None:
    """Fifty names for the same bytes."""
    archive.writestr("f0", bytes(100_000))
    first = archive.infolist()[0]
    for number in range(1, 50):
        again = zipfile.ZipInfo(f"f{number}")
        for field in ("header_offset", "file_size", "compress_size", "CRC"):
            setattr(again, field, getattr(first, field))
        archive.filelist.append(again)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"no zip", "its zip is broken"),
        (hostile(linked), "is no plain file"),
        (hostile(doubled), "occurs twice"),
        (hostile(swollen), "is compressed"),
        (hostile(overlapping), "larger inside than outside"),
        (hostile(lambda archive: archive.writestr("a", b"x" * 64))[:-30], "its zip is broken"),
        (
            hostile(lambda archive: archive.writestr("a", b"x")).replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00"),
            "encrypted",
        ),
    ],
)
def test_nothing_that_harms_is_unpacked(tmp_path: Path, data: bytes, fault: str) -> None:
    """Bombs, links, double names, encrypted files and what is no zip at all."""
    path = tmp_path / "hostile.zip"
    path.write_bytes(data)
    with pytest.raises(NotABundle) as refused:
        verify(path)
    assert fault in str(refused.value)


def test_a_list_of_members_that_fills_the_memory_is_not_read(tmp_path: Path) -> None:
    """Neither of a plain zip nor of one with the record for large archives."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3000):
            archive.writestr(f"f{number}", b"")
    with pytest.raises(NotABundle, match="more than 200 files"):
        verify(path)
    end = path.read_bytes()[-22:]
    large = b"PK\6\6" + bytes(36) + (1 << 40).to_bytes(8, "little") + bytes(8)
    path.write_bytes(large + b"PK\6\7" + bytes(16) + end[:12] + b"\xff" * 4 + end[16:])
    with pytest.raises(NotABundle, match="more than 200 files"):
        verify(path)


def test_a_large_file_takes_no_memory(tmp_path: Path) -> None:
    """Writing and verifying a bundle hold some pieces of a file at a time, whatever its size."""
    artifacts, size = ObjectDirectory(tmp_path / "artifacts"), 48 << 20
    (tmp_path / "large").write_bytes(bytes(size))
    part = Part(path="model.onnx", role="model", artifact=artifacts.put_file(tmp_path / "large").sha256)
    entry = Entry(path=part.path, role=part.role, bytes=size, sha256=part.sha256)
    manifest = Manifest(format=FORMAT, model="numbers", release="numbers@2", files=(entry,), absent=())
    tracemalloc.start()
    try:
        with (tmp_path / "one.zip").open("w+b") as file:
            write_archive(file, Contents(manifest=manifest, parts=(part,)), artifacts)
        assert require_whole(tmp_path / "one.zip").bytes == size
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a", "data/items.parquet", "SHA256SUMS", "a-b_c.d/e"])
def test_a_plain_name_is_taken(name: str) -> None:
    """Letters, digits, dots inside, and folders."""
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "a//b", "/a", "a/", ".hidden", "a\0b", "a b", "ä", "a" * 101])
def test_an_odd_name_is_not(name: str) -> None:
    """Whatever could be read in another way somewhere."""
    assert not is_plain_name(name)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (b'{"a":1}', b'{"a":1}', ""),
        (b'{"a":1,"b":[{"c":0.5}]}', b'{"a":1,"b":[{"c":0.75}]}', "b[0].c: 0.5 in the bundle, 0.75 made again"),
        (b'{"a":[1,2]}', b'{"a":[1]}', "a: [1,2] in the bundle, [1] made again"),
        (b'{"a":1}', b'{"a":1,"b":2}', "b: null in the bundle, 2 made again"),
        (b'{"a": 1}', b'{"a":1}', "the same figures, written in another way"),
    ],
)
def test_the_first_difference_is_named(before: bytes, after: bytes, says: str) -> None:
    """By its place in the report, with both values."""
    assert difference(before, after) == says
