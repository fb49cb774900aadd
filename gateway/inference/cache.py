"""Open sessions, owned by count: opened once for everybody, closed when the last plan has left them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any

from gateway.inference.errors import ArtifactDamaged, ModelNotLoadable
from gateway.inference.machine import Machine, cores
from gateway.inference.session import OnnxSession
from gateway.inference.upstream_session import UpstreamSession, open_upstream
from gateway.inference.upstreams import AllowedUpstreams, Upstream
from gateway.inference.wish import PLAIN, SessionWish, session_key

Opened = OnnxSession | UpstreamSession


class _Entry:
    """A session that is open or being opened, and how many hold it."""

    def __init__(self, opening: asyncio.Task[Any]) -> None:
        self.opening = opening
        self.holders = 0


class SessionCache:
    """Sessions by their artifact and what its card wants, or by the address of their upstream, on one event loop."""

    def __init__(
        self, *, threads: int = 1, upstreams: AllowedUpstreams | None = None, machine: Machine | None = None
    ) -> None:
        self._threads = threads
        self._machine = machine or Machine()
        self._upstreams = upstreams or AllowedUpstreams()
        self._entries: dict[str, _Entry] = {}

    async def acquire(self, sha256: str, path: Path, wish: SessionWish = PLAIN) -> OnnxSession:
        """The warm session of an artifact; each acquire needs its release, by `session_key`.

        Those who ask at the same time share one open, off the loop. Raises ArtifactDamaged, ModelNotLoadable,
        ProviderAbsent or ProviderUnusable, after which nothing is kept and the next acquire tries again.
        """
        opened = await self._acquire(
            session_key(sha256, wish), lambda: asyncio.to_thread(self._open, sha256, path, wish)
        )
        assert isinstance(opened, OnnxSession)
        return opened

    async def acquire_upstream(self, upstream: Upstream) -> UpstreamSession:
        """The session of a model that runs elsewhere; its server need not answer now. Raises: UpstreamNotAllowed."""
        opened = await self._acquire(upstream.key, lambda: _reach(upstream, self._upstreams))
        assert isinstance(opened, UpstreamSession)
        return opened

    def release(self, key: str) -> None:
        """Gives one hold back; the last one closes the session."""
        self._leave(key, self._entries[key])

    def upstreams(self) -> list[UpstreamSession]:
        """The open sessions of models that run elsewhere."""
        done = [entry.opening for entry in self._entries.values() if entry.opening.done()]
        found = [each.result() for each in done if not each.cancelled() and each.exception() is None]
        return [each for each in found if isinstance(each, UpstreamSession)]

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

    def _open(self, sha256: str, path: Path, wish: SessionWish) -> OnnxSession:
        """A warm session over the file, if it is the one that the digest names."""
        _require_whole(sha256, path)
        providers = self._machine.providers(wish)
        session = OnnxSession.open(path, threads=min(wish.threads or self._threads, cores()), providers=providers)
        session.warm_up()
        return session

    async def _acquire(self, key: str, opens: Callable[[], Coroutine[Any, Any, Opened]]) -> Opened:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(asyncio.create_task(opens()))
        entry.holders += 1
        try:
            # One impatient caller must not take the session from the others who wait for it.
            opened: Opened = await asyncio.shield(entry.opening)
        except BaseException:
            self._leave(key, entry)
            raise
        return opened

    def _leave(self, sha256: str, entry: _Entry) -> None:
        """Counts one holder less; an open that nobody waits for any more is closed as soon as it ends."""
        entry.holders -= 1
        if entry.holders == 0:
            del self._entries[sha256]
            if entry.opening.done():
                _close(entry.opening)
            else:
                entry.opening.add_done_callback(_close)


async def _reach(upstream: Upstream, allowed: AllowedUpstreams) -> UpstreamSession:
    return open_upstream(upstream, allowed)


def _require_whole(sha256: str, path: Path) -> None:
    """Return if the file is the one that the digest names. Raises: ArtifactDamaged, ModelNotLoadable."""
    try:
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != sha256:
                raise ArtifactDamaged
    except OSError as error:
        raise ModelNotLoadable from error


def _close(opening: asyncio.Task[Any]) -> None:
    """Closes what was opened; a failed open left nothing to close."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
