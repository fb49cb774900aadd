"""A worker that does one training, to be killed: `python -m …train_once URL ARTIFACTS RECIPES`."""

import asyncio
import sys
from pathlib import Path

from gateway.store.ledger import Ledger
from review.learning.retraining import Trainings


async def main(url: str, artifacts: str, recipes: str) -> None:
    """Do the training whose turn it is."""
    ledger = Ledger.open(url)
    await Trainings(ledger, Path(artifacts), Path(recipes)).run()
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
