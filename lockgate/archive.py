"""A backup as one file: a tar whose last member, `manifest.json`, names every other one with its size and SHA-256."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from lockgate.errors import BackupDamaged, UnreadableFile

MANIFEST = "manifest.json"
FORMAT = 1
CHUNK_BYTES = 1 << 20


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a backup."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and of which ledger."""

    format: int
    made_us: int
    lockgate: str
    schema: str
    """The migration that the ledger was at."""
    rows: dict[str, int]
    """How many rows each table has."""
    members: tuple[Member, ...]


class _Digesting(io.RawIOBase):
    """A file that is read while its digest is taken."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.sha256.update(chunk)
        self.bytes += len(chunk)
        return chunk


class ArchiveWriter:
    """Adds files to a backup and remembers their digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.members: list[Member] = []
        self._tar = tar

    def add(self, name: str, path: Path) -> None:
        """Add a file as it is now; one that grows meanwhile is cut at its present size."""
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size = os.fstat(file.fileno()).st_size
            info.mode = 0o600
            digesting = _Digesting(file)
            self._tar.addfile(info, digesting)
        self.members.append(Member(name=name, bytes=digesting.bytes, sha256=digesting.sha256.hexdigest()))

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest."""
        body = msgspec.json.format(msgspec.json.encode(manifest))
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(body), 0o600
        self._tar.addfile(info, io.BytesIO(body))


@contextmanager
def writing_archive(path: Path) -> Iterator[ArchiveWriter]:
    """A backup under a temporary name; it gets its own when it is whole and synced."""
    temporary = path.with_name(f".{path.name}.partial")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                yield ArchiveWriter(tar)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def verify_archive(path: Path) -> Manifest:
    """The manifest, after every member was compared with it. Raises: BackupDamaged, UnreadableFile."""
    try:
        with tarfile.open(path, "r:") as tar:
            found = {member.name: _member(tar, member) for member in tar if member.name != MANIFEST}
            manifest = _manifest(path, tar)
    except OSError as error:
        raise UnreadableFile(path=path, why=error.strerror or "it cannot be read") from error
    except tarfile.TarError as error:
        raise BackupDamaged(path=path, why="it is no tar file, or its end is missing") from error
    for member in manifest.members:
        if found.pop(member.name, None) != member:
            raise BackupDamaged(path=path, why=f"{member.name} is missing or was changed")
    if found:
        raise BackupDamaged(path=path, why=f"{min(found)} was added")
    return manifest


def open_member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """A member of a verified backup, to be read."""
    file = tar.extractfile(name)
    assert file is not None
    return file


def safe_name(name: str) -> PurePosixPath:
    """The relative path of a member. Raises: ValueError for one that leads elsewhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(name)
    return path


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member | None:
    file = tar.extractfile(info)
    if file is None:
        return None
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return Member(name=info.name, bytes=size, sha256=digest.hexdigest())


def _manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(open_member(tar, MANIFEST).read(), type=Manifest)
    except KeyError as error:
        raise BackupDamaged(path=path, why="its manifest is missing, so it was never finished") from error
    except msgspec.DecodeError as error:
        raise BackupDamaged(path=path, why="its manifest cannot be read") from error
    if manifest.format != FORMAT:
        raise BackupDamaged(path=path, why=f"it has format {manifest.format}, and this release reads {FORMAT}")
    return manifest
