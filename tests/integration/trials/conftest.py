"""What the tests of a trial have in hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.trials.scene import Scene, open_scene


@pytest.fixture
async def scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A trial on each database."""
    async with open_scene(ledger_url, tmp_path) as opened:
        yield opened
