"""A gateway's holds on each of the two real databases, in a small believable world."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.holding.holds import open_holds
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from tests.integration.holding.scene import Scene
from tests.worlds import build_world


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    ledger = Ledger.open(ledger_url)
    yield ledger
    await ledger.close()


@pytest.fixture
async def scene(ledger: Ledger, tmp_path: Path) -> AsyncIterator[Scene]:
    """One gateway with its holds open."""
    async with ledger.writing() as w:
        world = await build_world(w, tenant="shop")
    objects = LocalObjects(tmp_path / "payloads")
    async with open_holds(ledger, objects, public_url="https://lockgate.example") as holds:
        yield Scene(ledger=ledger, objects=objects, world=world, holds=holds)
