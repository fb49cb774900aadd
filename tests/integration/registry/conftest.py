"""Scenes of the registry."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.registry.scene import Scene, open_scene


@pytest.fixture
async def both_scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene, once on each database."""
    async with open_scene(ledger_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def scene(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene where the database makes no difference."""
    async with open_scene(sqlite_ledger_url, tmp_path) as opened:
        yield opened
