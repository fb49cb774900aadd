"""Objects under their SHA-256: payloads, folded entries, and artifacts of models with a root of their own.

The port is small on purpose, so that a store behind a URL can take the place of a directory. Deleting is for erasure
and retention; whoever deletes makes sure first that no other row names the same digest.
"""

import asyncio
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from gateway.record.errors import DamagedObject, UnknownObject, UnsupportedObjects
from gateway.record.objects import ObjectDirectory, StoredObject, checked, digest_of


class ObjectStore(Protocol):
    """Where objects are kept. A method that takes a digest may raise InvalidDigest.

    Each may raise ObjectsUnavailable, too, when the store is somewhere else and cannot be reached.
    """

    async def put(self, data: bytes) -> StoredObject:
        """Keep the bytes; once this returns they survive a loss of power. Putting twice is putting once."""
        ...

    async def put_file(self, source: Path) -> StoredObject:
        """Keep a copy of a file of any size."""
        ...

    async def get(self, sha256: str) -> bytes:
        """The bytes of an object, verified. Raises: UnknownObject, DamagedObject."""
        ...

    async def has(self, sha256: str) -> bool:
        """Whether an object is kept, without reading it."""
        ...

    async def local_path(self, sha256: str) -> Path:
        """A file on this machine with the object's bytes, to be read only. Raises: UnknownObject."""
        ...

    async def verify(self, sha256: str) -> StoredObject:
        """Read the object through without keeping it in memory. Raises: UnknownObject, DamagedObject."""
        ...

    async def delete(self, sha256: str) -> bool:
        """Remove an object for good; False when there was none."""
        ...

    async def sweep(self, before_us: int) -> int:
        """Remove what killed writers left half made and last touched before a moment; returns how much."""
        ...


class LocalObjects:
    """Objects in a directory of this machine; every touch of the disk is made in a thread."""

    def __init__(self, root: Path) -> None:
        self.directory = ObjectDirectory(root)

    async def put(self, data: bytes) -> StoredObject:
        return await asyncio.to_thread(self.directory.put, data)

    async def put_file(self, source: Path) -> StoredObject:
        return await asyncio.to_thread(self.directory.put_file, source)

    async def get(self, sha256: str) -> bytes:
        return await asyncio.to_thread(self.directory.get, sha256)

    async def has(self, sha256: str) -> bool:
        return await asyncio.to_thread(self.directory.has, sha256)

    async def local_path(self, sha256: str) -> Path:
        return await asyncio.to_thread(self.directory.path, sha256)

    async def verify(self, sha256: str) -> StoredObject:
        return await asyncio.to_thread(self.directory.verify, sha256)

    async def delete(self, sha256: str) -> bool:
        return await asyncio.to_thread(self.directory.delete, sha256)

    async def sweep(self, before_us: int) -> int:
        return await asyncio.to_thread(self.directory.sweep, before_us)


class MemoryObjects:
    """Objects in memory, for tests and trials; passes the same suite as the others."""

    def __init__(self, spill: Path) -> None:
        self._objects: dict[str, bytes] = {}
        self._spill = spill

    async def put(self, data: bytes) -> StoredObject:
        sha256 = digest_of(data)
        self._objects[sha256] = bytes(data)
        return StoredObject(sha256=sha256, bytes=len(data), location=f"memory:{sha256}")

    async def put_file(self, source: Path) -> StoredObject:
        return await self.put(await asyncio.to_thread(source.read_bytes))

    async def get(self, sha256: str) -> bytes:
        if checked(sha256) not in self._objects:
            raise UnknownObject(sha256=sha256)
        data = self._objects[sha256]
        if digest_of(data) != sha256:
            raise DamagedObject(sha256=sha256)
        return data

    async def has(self, sha256: str) -> bool:
        return checked(sha256) in self._objects

    async def local_path(self, sha256: str) -> Path:
        path = self._spill / sha256
        await asyncio.to_thread(path.write_bytes, await self.get(sha256))
        return path

    async def verify(self, sha256: str) -> StoredObject:
        return StoredObject(sha256=sha256, bytes=len(await self.get(sha256)), location=f"memory:{sha256}")

    async def delete(self, sha256: str) -> bool:
        return self._objects.pop(checked(sha256), None) is not None

    async def sweep(self, before_us: int) -> int:  # noqa: ARG002 - memory holds nothing half made
        return 0


def open_objects(url: str) -> ObjectStore:
    """The store behind a URL: a path or `file:///…` is a directory of this machine. Raises: UnsupportedObjects."""
    parts = urlsplit(url)
    if parts.scheme == "" or (parts.scheme == "file" and parts.netloc in {"", "localhost"}):
        return LocalObjects(Path(unquote(parts.path) if parts.scheme else url))
    raise UnsupportedObjects(scheme=parts.scheme)
