"""A directory of objects named by their SHA-256: `ab/cdef…`, written whole or not at all."""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from msgspec import Struct

from gateway.record.errors import DamagedObject, InvalidDigest, UnknownObject
from gateway.record.segment import sync_directory

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20
_TEMPORARY = "tmp"


class StoredObject(Struct, frozen=True, kw_only=True):
    """An object that is kept: its digest, its size and where it lies, relative to its store."""

    sha256: str
    bytes: int
    location: str


def digest_of(data: bytes) -> str:
    """The SHA-256 of the bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def checked(sha256: str) -> str:
    """The digest itself, so that no name made from it leads elsewhere. Raises: InvalidDigest."""
    if not _DIGEST.fullmatch(sha256):
        raise InvalidDigest
    return sha256


class ObjectDirectory:
    """The objects below one root; blocking, for threads and child processes. Any method may raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> StoredObject:
        """Keep the bytes, synced with their name; a damaged object of this digest is replaced."""
        sha256 = digest_of(data)
        target = self._target(sha256)
        if not self._holds(target, sha256):
            with self._temporary() as (path, file):
                file.write(data)
                self._finish(file, path, target)
        self._sync_names(target)
        return StoredObject(sha256=sha256, bytes=len(data), location=location(sha256))

    def put_file(self, source: Path) -> StoredObject:
        """Keep a copy of a file; its digest is that of the bytes that were copied."""
        with self._temporary() as (path, file):
            with source.open("rb") as origin:
                shutil.copyfileobj(origin, file, _CHUNK_BYTES)
            file.flush()
            sha256, size = _read_through(path)
            target = self._target(sha256)
            self._finish(file, path, target)
        self._sync_names(target)
        return StoredObject(sha256=sha256, bytes=size, location=location(sha256))

    def get(self, sha256: str) -> bytes:
        """The verified bytes. Raises: InvalidDigest, UnknownObject, DamagedObject."""
        try:
            with _open_plain(self._target(sha256)) as file:
                data = file.read()
        except FileNotFoundError:
            raise UnknownObject(sha256=sha256) from None
        if digest_of(data) != sha256:
            raise DamagedObject(sha256=sha256)
        return data

    def has(self, sha256: str) -> bool:
        """Whether the object is here. Raises: InvalidDigest."""
        return _is_plain(self._target(sha256))

    def path(self, sha256: str) -> Path:
        """The object's file, to be read only. Raises: InvalidDigest, UnknownObject."""
        path = self._target(sha256)
        if not _is_plain(path):
            raise UnknownObject(sha256=sha256)
        return path

    def verify(self, sha256: str) -> StoredObject:
        """Read the object through in pieces. Raises: InvalidDigest, UnknownObject, DamagedObject."""
        found, size = _read_through(self.path(sha256))
        if found != sha256:
            raise DamagedObject(sha256=sha256)
        return StoredObject(sha256=sha256, bytes=size, location=location(sha256))

    def delete(self, sha256: str) -> bool:
        """Remove the object, also for a power loss; False when there was none. Raises: InvalidDigest."""
        target = self._target(sha256)
        try:
            target.unlink()
        except FileNotFoundError:
            return False
        sync_directory(target.parent)
        return True

    def digests(self) -> Iterator[str]:
        """Every digest that is kept here, in alphabetical order."""
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")):
            if _DIGEST.fullmatch(digest := path.parent.name + path.name):
                yield digest

    def sweep(self, older_than_us: int) -> int:
        """Remove temporary files of killed writers that were last touched before a moment; returns how many."""
        stale = [path for path in (self.root / _TEMPORARY).glob("*") if _touched_before(path, older_than_us)]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _target(self, sha256: str) -> Path:
        return self.root / location(checked(sha256))

    def _holds(self, target: Path, sha256: str) -> bool:
        """Whether the object lies there undamaged."""
        return _is_plain(target) and _read_through(target)[0] == sha256

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, BinaryIO]]:
        path = self.root / _TEMPORARY / uuid4().hex
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                yield path, file
        finally:
            path.unlink(missing_ok=True)

    def _finish(self, file: BinaryIO, path: Path, target: Path) -> None:
        """Sync the bytes, then give them their name: nobody ever sees half an object."""
        file.flush()
        os.fchmod(file.fileno(), 0o440)
        os.fsync(file.fileno())
        target.parent.mkdir(exist_ok=True)
        path.rename(target)

    def _sync_names(self, target: Path) -> None:
        sync_directory(target.parent)
        sync_directory(self.root)


def location(sha256: str) -> str:
    """Where an object lies below its root."""
    return f"{sha256[:2]}/{sha256[2:]}"


def _open_plain(path: Path) -> BufferedReader:
    """The file opened for reading, never through a link. Raises: OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _is_plain(path: Path) -> bool:
    """Whether a file, and not a link to one, has this name."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _read_through(path: Path) -> tuple[str, int]:
    """The SHA-256 and the size of a file, read in pieces."""
    with _open_plain(path) as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def _touched_before(path: Path, us: int) -> bool:
    """Whether a file was last touched before a moment; one that was finished meanwhile is gone, and was not."""
    try:
        return path.stat().st_mtime_ns // 1000 < us
    except FileNotFoundError:
        return False
