"""Fixtures of the people's side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.lockgate.scene import Scene, open_scene


@pytest.fixture
async def scene(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """The console's application on a fresh ledger."""
    async with open_scene(sqlite_ledger_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def both_scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """The console's application on a fresh ledger, once on each database."""
    async with open_scene(ledger_url, tmp_path) as opened:
        yield opened
