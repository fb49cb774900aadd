"""The desk's world: a ledger, a clock that the test moves, and the people as actors."""

from tests.integration.desk.conftest import clock, desk, ledger

# Fixtures are found by name in this module.
__all__ = ["clock", "desk", "ledger"]
