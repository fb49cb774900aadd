"""The traffic log of one process: entries are appended before answers leave, with one write per loop turn.

An append survives the death of the process as soon as it resolves, and the loss of power after the next sync, at most
`sync_interval_s` later. Nothing here holds a lock over an await: the loop alone writes, one worker thread alone syncs
and closes.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct

from gateway.ids import new_id
from gateway.record.codec import fold
from gateway.record.entries import Entry, Position
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.frames import HEADER_BYTES, frame
from gateway.record.payloads import ObjectStore
from gateway.record.reserve import DiskReserve
from gateway.record.segment import PROCESS_NAME, SegmentFile, segment_name, sync_directory
from gateway.record.turn import Turn, Waiting
from gateway.record.upkeep import keep_synced

MIB = 1 << 20
WhenFull = Literal["refuse", "unrecorded"]


class LogSettings(Struct, frozen=True, kw_only=True):
    """Where and how a process records its traffic."""

    directory: Path
    """The traffic directory; segments lie in `open` below it."""
    process: str
    sync_interval_s: float = 1.0
    rotate_bytes: int = 64 * MIB
    rotate_age_s: float = 300.0
    reserve_bytes: int = 256 * MIB

    @property
    def open_directory(self) -> Path:
        """Where the segments lie that are not sealed yet."""
        return self.directory / "open"


class LogCounts(Struct, kw_only=True):
    """What the log has done since it was opened."""

    entries: int = 0
    bytes: int = 0
    turns: int = 0
    segments: int = 0
    folded: int = 0
    unrecorded: int = 0
    failed_turns: int = 0
    failed_syncs: int = 0


class TrafficLog:
    """The log that this process writes; made by `open_traffic_log`."""

    def __init__(self, settings: LogSettings, objects: ObjectStore, reserve: DiskReserve) -> None:
        self.settings = settings
        self.reserve = reserve
        self.counts = LogCounts()
        self._objects = objects
        self._writer = new_id().hex
        self._loop = asyncio.get_running_loop()
        self._files = ThreadPoolExecutor(1, thread_name_prefix="traffic-log")
        self._segment: SegmentFile | None = None
        self._opened_at = 0.0
        self._synced = (0, 0)
        self._retired: list[SegmentFile] = []
        self._turn = Turn()
        self._folding: set[asyncio.Task[Position]] = set()
        self._closed = False

    def append(self, entry: Entry) -> Awaitable[Position]:
        """Resolves to the entry's position once it is written; cancelling the wait does not take the entry back.

        Raises: DiskReserveReached, TrafficLogUnavailable (also when awaited).
        """
        if self._closed:
            raise TrafficLogUnavailable
        if self.reserve.reached:
            raise DiskReserveReached
        return self._append(entry)

    def write_together(self, entries: Sequence[bytes]) -> int:
        """Write encoded entries now, with what this turn has gathered; returns how many of them stand whole.

        None of them is longer than ENTRY_MAX_BYTES. Raises: DiskReserveReached, TrafficLogUnavailable.
        """
        if self._closed:
            raise TrafficLogUnavailable
        if self.reserve.reached:
            raise DiskReserveReached
        turn = self._turn
        before = len(turn.waiting)
        if not before:
            return self._write_alone(entries)
        for data in entries:
            turn.add_encoded(data)
        self._write_turn()
        return max(0, turn.whole - before)

    async def record(self, entry: Entry, when_full: WhenFull) -> Position | None:
        """Append and return the position; with 'unrecorded', a full disk is counted and None returned.

        Raises: DiskReserveReached, TrafficLogUnavailable with 'refuse'.
        """
        try:
            return await self.append(entry)
        except (DiskReserveReached, TrafficLogUnavailable):
            if when_full == "refuse":
                raise
            self.counts.unrecorded += 1
            return None

    async def sync(self) -> None:
        """Make everything appended so far survive a loss of power, and look at the disk again. Raises: OSError."""
        retired, self._retired = self._retired, []
        written = (self.counts.segments, self.counts.bytes)
        idle = written == self._synced and not retired
        job = self._loop.run_in_executor(self._files, self._settle_files, retired, None if idle else self._segment)
        await asyncio.shield(job)  # it alone closes the retired segments: it must run even if the waiter leaves
        self._synced = written

    def rotate(self) -> None:
        """Go on in a fresh segment; the present one may be sealed after the next sync. Raises: OSError."""
        name = segment_name(self.settings.process, self._writer, self.counts.segments + 1)
        fresh = SegmentFile.create(self.settings.open_directory, name)
        self._retire()
        self._segment = fresh
        self._opened_at = self._loop.time()
        self.counts.segments += 1

    async def close(self) -> None:
        """Write what was appended, sync it and give the segment up."""
        if self._closed:
            return
        while self._folding:
            await asyncio.wait(self._folding)
        self._closed = True
        self._write_turn()
        self._retire()
        try:
            await self.sync()
        finally:
            self._files.shutdown(wait=False)

    def _append(self, entry: Entry) -> Awaitable[Position]:
        turn = self._turn
        whole = turn.add(entry)
        if whole is not None:
            return self._append_folded(entry, whole)
        future: Waiting = self._loop.create_future()
        turn.waiting.append(future)
        if len(turn.waiting) == 1:
            self._loop.call_soon(self._write_turn)
        return future

    def _append_folded(self, entry: Entry, whole: bytes) -> Awaitable[Position]:
        """Keep the whole entry as an object, then append its head; goes on when the waiter is cancelled."""
        task = self._loop.create_task(self._keep_whole(entry, whole))
        self._folding.add(task)
        task.add_done_callback(self._folding.discard)
        return asyncio.shield(task)

    async def _keep_whole(self, entry: Entry, whole: bytes) -> Position:
        try:
            await self._objects.put(whole)
        except OSError as error:
            raise TrafficLogUnavailable from error
        self.counts.folded += 1
        return await self._append(fold(entry, whole))

    def _write_turn(self) -> None:
        turn, self._turn = self._turn, Turn()
        if not turn.waiting:
            return
        try:
            segment = self._present_segment()
            self._written(turn, segment, segment.write(turn.buffer))
        except OSError as error:
            self._give_up_on(turn, error)

    def _write_alone(self, entries: Sequence[bytes]) -> int:
        """Write entries in a turn that has gathered nothing else; returns how many of them stand whole."""
        together, turn = b"".join(map(frame, entries)), self._turn
        try:
            segment = self._present_segment()
            written = segment.write(together)
            if written < len(together):
                self._turn = Turn()
                for data in entries:
                    turn.add_encoded(data)
                self._written(turn, segment, written)
        except OSError as error:
            self._give_up_on(turn, error)
            return turn.whole
        self.counts.turns += 1
        self.counts.bytes += written
        self.counts.entries += len(entries)
        return len(entries)

    def _written(self, turn: Turn, segment: SegmentFile, written: int) -> None:
        """So much of a turn was written: whole frames count, a rest is cut off. Raises: OSError where there is one."""
        base = segment.size - written
        whole_end = turn.settle(segment.name, base, written)
        self.counts.turns += 1
        self.counts.bytes += whole_end - base
        self.counts.entries += turn.whole
        if written < len(turn.buffer):
            segment.cut(whole_end)
            raise OSError(errno.ENOSPC, "short write")

    def _present_segment(self) -> SegmentFile:
        segment = self._segment
        if segment is None:
            self.rotate()
        elif segment.size >= self.settings.rotate_bytes:
            with suppress(OSError):  # better a long segment than a lost entry
                self.rotate()
        assert self._segment is not None
        return self._segment

    def _give_up_on(self, turn: Turn, error: OSError) -> None:
        """Refuse the rest of a turn; a segment whose file failed is left as it is, its tail may be torn."""
        self.counts.failed_turns += 1
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            self.reserve.exhausted()
        self._retire()
        failure = TrafficLogUnavailable()
        failure.__cause__ = error
        turn.fail(failure)

    def _retire(self) -> None:
        if self._segment is not None:
            self._retired.append(self._segment)
            self._segment = None

    def _settle_files(self, retired: list[SegmentFile], present: SegmentFile | None) -> None:
        """In the log's thread: sync and close the retired segments, sync the present one if any, look at the disk."""
        errors = [error for segment in retired if (error := segment.finish())]
        if present is not None:
            present.sync()
        if present is not None or retired:
            sync_directory(self.settings.open_directory)
        self.reserve.look()
        if errors:
            raise errors[0]

    async def upkeep(self) -> None:
        """Sync, then rotate by age; a failure is counted and never raised."""
        try:
            await self.sync()
            self._rotate_by_age()
        except OSError:
            # What a failed fsync has lost cannot be synced again; a fresh file starts clean.
            self.counts.failed_syncs += 1
            self._retire()

    def _rotate_by_age(self) -> None:
        segment = self._segment
        if segment is None or segment.size == HEADER_BYTES:
            return
        if self._loop.time() - self._opened_at >= self.settings.rotate_age_s:
            self.rotate()


@asynccontextmanager
async def open_traffic_log(
    settings: LogSettings, objects: ObjectStore, reserve: DiskReserve | None = None
) -> AsyncIterator[TrafficLog]:
    """The log of this process, synced in the background and closed in order. Raises: OSError, ValueError (process)."""
    if not PROCESS_NAME.fullmatch(settings.process):
        raise ValueError(f"a process is named like 'gateway-1', not {settings.process!r}")
    settings.open_directory.mkdir(parents=True, exist_ok=True)
    log = TrafficLog(settings, objects, reserve or DiskReserve(settings.directory, settings.reserve_bytes))
    log.reserve.look()
    log.rotate()
    upkeep = asyncio.create_task(keep_synced(log))
    try:
        yield log
    finally:
        upkeep.cancel()
        await asyncio.wait([upkeep])
        await log.close()
