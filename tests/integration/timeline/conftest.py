"""A model with a few releases, once on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.registry.scene import open_scene
from tests.integration.release.scene import Scene, operator_of


@pytest.fixture
async def scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A model that serves its founding release."""
    async with open_scene(ledger_url, tmp_path) as registry:
        await registry.add()
        yield Scene(registry=registry, operator=operator_of(registry.tenant_id))
