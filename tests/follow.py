"""A worker that follows the traffic log to its end, a few entries at a time, for one of its consumers.

`python -m tests.follow CONSUMER LEDGER_URL TRAFFIC OBJECTS`
"""

import asyncio
import sys
from pathlib import Path

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.audits import follow_audits
from review.disagreements import follow_disagreements

FOLLOW = {"audits": follow_audits, "disagreements": follow_disagreements}
AT_ONCE = 3


async def main(consumer: str, url: str, traffic: Path, objects: Path) -> None:
    """Read everything that was not read yet."""
    ledger = Ledger.open(url)
    await FOLLOW[consumer](ledger, LocalObjects(objects), traffic, limit=AT_ONCE)
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
