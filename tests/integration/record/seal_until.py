"""Run as a child: seal one segment step by step and die by SIGKILL right after the named step."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from gateway.record.sealed import MemoryCursors
from review.traffic.parts import PartSteps
from review.traffic.seal import Sealer
from tests.integration.record.scene import FileRegistry


def die_after(step: str, last: str) -> None:
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(traffic: Path, last: str) -> None:
    (segment,) = (traffic / "open").glob("*.seg")
    parts = PartSteps(segment, traffic, 1 << 40)
    for step in parts:
        die_after(step, last)
    sealer = Sealer(traffic, FileRegistry(traffic / "registry.json"), MemoryCursors())
    async for step in sealer.steps(segment, parts.report.sealed):
        die_after(step, last)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
