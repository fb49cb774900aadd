"""The archive of the demo's sentences: what is read of it, and what is refused."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from demo.data.archive import ARCHIVE_NAME, FOLDER, INNER, fetch_archive, read_members
from demo.errors import DataAltered, DataUnreadable


def archive_of(folder: Path, members: list[tarfile.TarInfo], content: bytes = b"content") -> Path:
    """A zip like the locked one, whose inner archive has `members`; regular files hold `content`."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    path = folder / ARCHIVE_NAME
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr(INNER, inner.getvalue())
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A member of a tar file; links point to `target`."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_member_is_read_by_its_exact_name(tmp_path: Path) -> None:
    """A file of the inner archive comes back as its bytes."""
    assert read_members(archive_of(tmp_path, [member(f"{FOLDER}/a.txt")]), ("a.txt",)) == (b"content",)


def test_names_that_climb_out_of_the_folder_write_nothing(tmp_path: Path) -> None:
    """An archive with `..`, absolute names and links is read without a single file being made."""
    tricks = [
        member("../outside.txt"),
        member(str(tmp_path / "absolute.txt")),
        member(f"{FOLDER}/link", tarfile.SYMTYPE, "/etc"),
        member(f"{FOLDER}/link/passwd"),
        member(f"{FOLDER}/a.txt"),
    ]
    (tmp_path / "in").mkdir()
    archive = archive_of(tmp_path / "in", tricks)

    assert read_members(archive, ("a.txt",)) == (b"content",)
    assert {path.name for path in tmp_path.rglob("*")} == {"in", ARCHIVE_NAME}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_wanted_name_that_is_no_regular_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    """A link, folder or pipe under a wanted name is refused instead of followed."""
    archive = archive_of(tmp_path, [member("secret.txt"), member(f"{FOLDER}/a.txt", kind, "secret.txt")])
    with pytest.raises(DataUnreadable, match=r"a\.txt"):
        read_members(archive, ("a.txt",))


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    """The sentence names the file that the archive lacks."""
    with pytest.raises(DataUnreadable, match=r"ratings\.txt"):
        read_members(archive_of(tmp_path, [member(f"{FOLDER}/a.txt")]), ("ratings.txt",))


def test_an_archive_with_another_digest_is_never_read(tmp_path: Path) -> None:
    """A file in the cache that is not the locked one is refused, with the path to remove."""
    path = archive_of(tmp_path, [member(f"{FOLDER}/a.txt")])
    with pytest.raises(DataAltered, match=str(path)):
        fetch_archive(tmp_path)
