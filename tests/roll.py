"""Somebody or something that moves a rollout once.

`python -m tests.roll LEDGER_URL TRAFFIC MOVE FLAG NOW_US`: an operator's move by its name, or the worker's `look`.
"""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import select

from gateway.store.ledger import Ledger
from gateway.store.schema.who import TenantRow
from gateway.store.segments import LedgerSegments
from review.rollouts import moving
from review.rollouts.following import follow_rollouts
from review.traffic.query import TrafficReader
from tests.integration.release.scene import operator_of


async def main(url: str, traffic: Path, move: str, flag: str, now_us: int) -> None:
    """Move it."""
    ledger = Ledger.open(url)
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    operator = operator_of(tenant_id)
    if move == "look":
        await follow_rollouts(ledger, TrafficReader(traffic, LedgerSegments(ledger)), now_us)
    else:
        await getattr(moving, move)(ledger, operator, flag, "a test")
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))
