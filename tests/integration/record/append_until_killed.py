"""Run as a child: append entries as fast as possible and print the id of each one whose append has resolved."""

import asyncio
import sys
from pathlib import Path

from gateway.record.entries import Entry
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from tests.unit.record.samples import decided


async def append(log: TrafficLog, entry: Entry) -> None:
    await log.append(entry)
    sys.stdout.write(f"{entry.prediction}\n")
    sys.stdout.flush()


async def main(directory: Path, process: str) -> None:
    settings = LogSettings(
        directory=directory, process=process, rotate_bytes=500_000, sync_interval_s=0.01, reserve_bytes=0
    )
    async with open_traffic_log(settings, LocalObjects(directory.parent / "objects")) as log:
        while True:
            await asyncio.gather(*(append(log, decided()) for _ in range(20)))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
