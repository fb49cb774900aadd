"""A bundle as a zip: written so that the same contents are the same bytes, and read as something a stranger sent.

Nothing is compressed. So the bytes depend on no version of a compressor, Parquet and models hardly would get smaller,
and no archive is larger inside than it is outside. Blocking, for threads and commands.
"""

import hashlib
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from gateway.record.errors import DamagedObject
from gateway.record.objects import ObjectDirectory
from review.bundle.contents import Contents, Part
from review.bundle.errors import NotABundle
from review.bundle.manifest import (
    FILES_MAX,
    FORMAT,
    MANIFEST,
    SUMS,
    Manifest,
    is_plain_name,
    manifest_bytes,
    read_manifest,
    sums_bytes,
)

CHUNK_BYTES = 1 << 20
MANIFEST_MAX_BYTES = 1 << 20
DIRECTORY_MAX_BYTES = FILES_MAX * 512
_ENDS_BYTES = 56 + 20 + 22
"""How a zip ends: the record of a large one, what points to that, and the record of every one."""
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can carry; no file has another one."""
_ENCRYPTED = 0x1
_PLAIN_FILE = (stat.S_IFREG | 0o644) << 16
_UNIX = 3


def write_archive(file: BinaryIO, contents: Contents, artifacts: ObjectDirectory) -> str:
    """Write a bundle; its name, which is the SHA-256 of its manifest. Raises: UnknownObject, DamagedObject."""
    manifest = manifest_bytes(contents.manifest)
    name = hashlib.sha256(manifest).hexdigest()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_info(MANIFEST, len(manifest)), manifest)
        sums = sums_bytes(contents.manifest.files, name)
        archive.writestr(_info(SUMS, len(sums)), sums)
        for part, entry in zip(contents.parts, contents.manifest.files, strict=True):
            with archive.open(_info(entry.path, entry.bytes), "w") as member:
                _write_part(member, part, artifacts)
    return name


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip in which nothing waits for whoever unpacks it. Raises: NotABundle, OSError."""
    _require_small_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _require_harmless(archive.infolist(), path.stat().st_size)
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise NotABundle(fault=f"its zip is broken ({error})") from error


def manifest_in(archive: zipfile.ZipFile) -> tuple[Manifest, str]:
    """The manifest with its SHA-256, which is the bundle's name. Raises: NotABundle."""
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > MANIFEST_MAX_BYTES:
            raise NotABundle(fault=f"its {MANIFEST} is larger than a manifest can be")
        data = archive.read(info)
        manifest = read_manifest(data)
    except KeyError as error:
        raise NotABundle(fault=f"it has no {MANIFEST}") from error
    except msgspec.MsgspecError as error:
        raise NotABundle(fault=f"its {MANIFEST} cannot be read ({error})") from error
    if manifest.format != FORMAT:
        raise NotABundle(fault=f"it has the format {manifest.format[:40]}, and this Lockgate reads {FORMAT}")
    return manifest, hashlib.sha256(data).hexdigest()


def digest_in(archive: zipfile.ZipFile, path: str) -> tuple[str, int]:
    """The SHA-256 and the size of a file, read in pieces; none of either where its stored checksum is wrong."""
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(path) as member:
            while chunk := member.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except zipfile.BadZipFile:
        return "", 0
    return digest.hexdigest(), size


def extract(archive: zipfile.ZipFile, path: str, target: Path) -> None:
    """Copy a file out of the archive, in pieces."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(path) as member, target.open("xb") as file:
        while chunk := member.read(CHUNK_BYTES):
            file.write(chunk)


def _write_part(member: IO[bytes], part: Part, artifacts: ObjectDirectory) -> None:
    if part.data is not None:
        member.write(part.data)
        return
    digest = hashlib.sha256()
    with artifacts.path(part.artifact).open("rb") as stored:
        while chunk := stored.read(CHUNK_BYTES):
            digest.update(chunk)
            member.write(chunk)
    if digest.hexdigest() != part.artifact:
        raise DamagedObject(sha256=part.artifact)


def _info(path: str, size: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _BEGINNING)
    info.create_system = _UNIX
    info.external_attr = _PLAIN_FILE
    info.file_size = size
    return info


def _require_small_directory(path: Path) -> None:
    """Return if the list of members, which is read whole, is short enough for that. Raises: NotABundle, OSError."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _ENDS_BYTES))
        ends = file.read().rjust(_ENDS_BYTES, b"\0")
    large, locator, end = ends[:56], ends[56:76], ends[76:]
    if not end.startswith(b"PK\5\6"):
        raise NotABundle(fault="its zip is broken (it does not end as a zip without a comment does)")
    directory = int.from_bytes(end[12:16], "little")
    if locator.startswith(b"PK\6\7"):
        directory = max(directory if directory != 0xFFFFFFFF else 0, int.from_bytes(large[40:48], "little"))
    if directory > DIRECTORY_MAX_BYTES:
        raise NotABundle(fault=f"it holds more than {FILES_MAX} files")


def _require_harmless(members: Sequence[zipfile.ZipInfo], archive_bytes: int) -> None:
    """Return if every member is a plain file that can be unpacked anywhere. Raises: NotABundle."""
    if len(members) > FILES_MAX:
        raise NotABundle(fault=f"it holds more than {FILES_MAX} files")
    seen: set[str] = set()
    for member in members:
        # The name as it is written in the archive: the library cuts one off at a zero byte.
        name = member.orig_filename
        if fault := _fault(member):
            raise NotABundle(fault=f"{ascii(name)[:120]} {fault}")
        if name.casefold() in seen:
            raise NotABundle(fault=f"{name} occurs twice in it")
        seen.add(name.casefold())
    if sum(member.file_size for member in members) > archive_bytes:
        raise NotABundle(fault="it is larger inside than outside")


def _fault(member: zipfile.ZipInfo) -> str:
    """Why a member is refused; empty for a plain file."""
    if not is_plain_name(member.orig_filename):
        return "is no name of a file in a bundle"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type != zipfile.ZIP_STORED:
        return "is compressed, and nothing in a bundle is"
    kind = stat.S_IFMT(member.external_attr >> 16)
    return "is no plain file" if kind not in (0, stat.S_IFREG) else ""
