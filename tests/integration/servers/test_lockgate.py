"""A whole Lockgate can be started for a test, taken away in part or whole, and found again."""

from tests.servers.lockgate import Lockgate
from tests.servers.process import until


def test_a_lockgate_comes_back_after_a_crash_of_a_part_and_of_all(lockgate: Lockgate) -> None:
    """A killed process is replaced; after a crash of everything the admin's key still works."""
    before = lockgate.processes()
    assert before.keys() == {"gateway-1", "console"}
    lockgate.kill_process("gateway-1")
    until(lambda: lockgate.processes().get("gateway-1", before["gateway-1"]) != before["gateway-1"], "a new gateway")
    lockgate.kill()
    lockgate.start()
    assert [key["name"] for key in lockgate.json("keys", "list")] == ["tests"]
