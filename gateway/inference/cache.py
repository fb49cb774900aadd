"""Open sessions, owned by count: opened once for everybody, closed when the last plan has left them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import file_digest
from pathlib import Path

from gateway.inference.errors import ArtifactDamaged, ModelNotLoadable
from gateway.inference.session import OnnxSession


class _Entry:
    """A session that is open or being opened, and how many hold it."""

    def __init__(self, opening: asyncio.Task[OnnxSession]) -> None:
        self.opening = opening
        self.holders = 0


class SessionCache:
    """Sessions by the sha256 of their artifact, on one event loop."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._entries: dict[str, _Entry] = {}

    async def acquire(self, sha256: str, path: Path) -> OnnxSession:
        """The warm session of an artifact; each acquire needs its release.

        Those who ask at the same time share one open, off the loop. Raises ArtifactDamaged or ModelNotLoadable, after
        which nothing is kept and the next acquire tries again.
        """
        entry = self._entries.get(sha256)
        if entry is None:
            opening = asyncio.create_task(asyncio.to_thread(_open, sha256, path, self._threads))
            entry = self._entries[sha256] = _Entry(opening)
        entry.holders += 1
        try:
            # One impatient caller must not take the session from the others who wait for it.
            return await asyncio.shield(entry.opening)
        except BaseException:
            self._leave(sha256, entry)
            raise

    def release(self, sha256: str) -> None:
        """Gives one hold back; the last one closes the session."""
        self._leave(sha256, self._entries[sha256])

    @asynccontextmanager
    async def holding(self, sha256: str, path: Path) -> AsyncIterator[OnnxSession]:
        """The session of an artifact for the length of a block."""
        session = await self.acquire(sha256, path)
        try:
            yield session
        finally:
            self.release(sha256)

    def open_digests(self) -> frozenset[str]:
        """The artifacts whose sessions are open or being opened."""
        return frozenset(self._entries)

    def _leave(self, sha256: str, entry: _Entry) -> None:
        """Counts one holder less; an open that nobody waits for any more is closed as soon as it ends."""
        entry.holders -= 1
        if entry.holders == 0:
            del self._entries[sha256]
            if entry.opening.done():
                _close(entry.opening)
            else:
                entry.opening.add_done_callback(_close)


def _open(sha256: str, path: Path, threads: int) -> OnnxSession:
    """A warm session over the file, if it is the one that the digest names."""
    try:
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != sha256:
                raise ArtifactDamaged
    except OSError as error:
        raise ModelNotLoadable from error
    session = OnnxSession.open(path, threads=threads)
    session.warm_up()
    return session


def _close(opening: asyncio.Task[OnnxSession]) -> None:
    """Closes what was opened; a failed open left nothing to close."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
