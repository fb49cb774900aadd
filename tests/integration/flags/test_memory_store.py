"""The store in memory is a flag store."""

import pytest

from flags.memory import MemoryFlagStore
from flags.store import FlagStore
from tests.integration.flags.flag_store_suite import FlagStoreSuite


class TestMemoryFlagStore(FlagStoreSuite):
    """The shared suite, in memory."""

    @pytest.fixture
    def flag_store(self) -> FlagStore:
        """An empty store in memory."""
        return MemoryFlagStore()
