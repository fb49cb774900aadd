"""Scenes of rollouts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.registry.scene import open_scene
from tests.integration.release.scene import Scene, operator_of
from tests.integration.rollouts.scene import Rolling


@asynccontextmanager
async def _rolling(url: str, folder: Path) -> AsyncIterator[Rolling]:
    """A model whose flags are off, with an operator."""
    async with open_scene(url, folder) as registry:
        await registry.add()
        yield Rolling(scene=Scene(registry=registry, operator=operator_of(registry.tenant_id)))


@pytest.fixture
async def on_both(ledger_url: str, tmp_path: Path) -> AsyncIterator[Rolling]:
    """The scene, once on each database."""
    async with _rolling(ledger_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def on(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Rolling]:
    """The scene where the database makes no difference."""
    async with _rolling(sqlite_ledger_url, tmp_path) as opened:
        yield opened
