"""An operator who promotes a release once.

`python -m tests.promote LEDGER_URL ARTIFACTS MODEL NUMBER`
"""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import select

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from gateway.store.schema.who import TenantRow
from review.release.promotion import Promotion, promote
from tests.integration.release.scene import operator_of


async def main(url: str, artifacts: Path, model: str, number: int) -> None:
    """Promote."""
    ledger = Ledger.open(url)
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    asked = Promotion(number=number, why="better")
    await promote(ledger, LocalObjects(artifacts), operator_of(tenant_id), model, asked)
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
