"""Removes what processes that were killed left half made beside the artifacts.

A file gets its name only when it is whole, and a row only when all of its files have their names. So what a killed
process leaves is never seen by anybody; it only takes room until it is removed here.
"""

import asyncio
import shutil
from pathlib import Path

from gateway.record.objects import ObjectDirectory
from review.learning.freezing import FOLDER_PREFIX

STALE_S = 86_400.0
"""Nothing that is still being written was last touched so long ago."""


async def remove_leftovers(artifacts: Path, *, before_us: int) -> int:
    """Remove temporary files and folders that were last touched before a moment; returns how many."""
    return await asyncio.to_thread(_remove, artifacts, before_us)


def _remove(artifacts: Path, before_us: int) -> int:
    folders = [path for path in artifacts.parent.glob(f"{FOLDER_PREFIX}*") if _touched_us(path) < before_us]
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    return len(folders) + ObjectDirectory(artifacts).sweep(before_us)


def _touched_us(folder: Path) -> int:
    """When anything in the folder was touched last, or the folder itself."""
    return max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir())) // 1000
