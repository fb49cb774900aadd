"""A scene on each of the two real databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.holding.holds import open_holds
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from tests.integration.holding.scene import Scene as Holding
from tests.integration.outcomes.scene import Scene
from tests.worlds import build_world


@pytest.fixture
async def scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A small world with its gateway's holds open."""
    ledger = Ledger.open(ledger_url)
    async with ledger.writing() as w:
        world = await build_world(w)
    objects = LocalObjects(tmp_path / "objects")
    async with open_holds(ledger, objects, public_url="https://lockgate.example") as holds:
        desk = Holding(ledger=ledger, objects=objects, world=world, holds=holds)
        yield Scene(ledger=ledger, objects=objects, world=world, folder=tmp_path, desk=desk)
    await ledger.close()
