"""A traffic directory with entries in it, and a registry that survives a killed process."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.record.entries import Entry
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.reader import SegmentReader
from gateway.record.sealed import MemoryCursors, SealedSegment
from gateway.record.segment import open_segments


async def record(directory: Path, entries: Sequence[Entry], process: str = "gateway-1", batch: int = 100) -> None:
    """Append the entries through a log of its own and close it, so that nobody owns the segment."""
    settings = LogSettings(directory=directory, process=process, sync_interval_s=60, reserve_bytes=0)
    async with open_traffic_log(settings, LocalObjects(directory.parent / "objects")) as log:
        for start in range(0, len(entries), batch):
            for waiting in [log.append(entry) for entry in entries[start : start + batch]]:
                await waiting


def committed(directory: Path) -> MemoryCursors:
    """The cursors of a consumer that has committed all that can be read."""
    cursors = MemoryCursors()
    for path in open_segments(directory / "open"):
        with SegmentReader(path) as reader:
            list(reader)
            cursors.offsets[path.stem] = reader.end
    return cursors


class FileRegistry:
    """Sealed segments in one JSON file that is replaced whole: the simplest registry that outlives its process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def register(self, sealed: SealedSegment) -> bool:
        found = self._read()
        if sealed.name in found:
            return False
        self._write(found | {sealed.name: sealed})
        return True

    async def knows(self, name: str) -> bool:
        return name in self._read()

    async def sealed(self, since_us: int, until_us: int) -> Sequence[SealedSegment]:
        live = (found for _name, found in sorted(self._read().items()) if found.removed_us is None)
        return [found for found in live if found.overlaps(since_us, until_us)]

    async def remove(self, name: str, at_us: int) -> bool:
        found = self._read()
        if found[name].removed_us is not None:
            return False
        self._write(found | {name: msgspec.structs.replace(found[name], removed_us=at_us)})
        return True

    def _read(self) -> dict[str, SealedSegment]:
        if not self._path.exists():
            return {}
        return msgspec.json.decode(self._path.read_bytes(), type=dict[str, SealedSegment])

    def _write(self, found: dict[str, SealedSegment]) -> None:
        fresh = self._path.with_suffix(".fresh")
        fresh.write_bytes(msgspec.json.encode(found))
        os.replace(fresh, self._path)  # noqa: PTH105 - an atomic replacement is what is meant
