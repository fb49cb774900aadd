"""A worker that follows the log to disagreements again and again, a few entries at a time, until it is killed.

`python -m tests.integration.trials.follow_disagreements LEDGER_URL TRAFFIC OBJECTS`
"""

import asyncio
import sys
from pathlib import Path

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.disagreements import follow_disagreements


async def main(url: str, traffic: Path, objects: Path) -> None:
    """Follow, and say on a line of its own when everything was read."""
    ledger = Ledger.open(url)
    print("begun", flush=True)
    while True:
        await follow_disagreements(ledger, LocalObjects(objects), traffic, limit=3)
        print("read", flush=True)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
