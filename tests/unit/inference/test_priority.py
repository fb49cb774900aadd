"""Who goes first where two want the same processor."""

import subprocess
import sys

from gateway.inference.priority import SESSION_WEIGHT

CHILD = """
import os
from gateway.inference.priority import SESSION_WEIGHT, weigh_session
os.nice(7)
weigh_session()
print(SESSION_WEIGHT.read_text() if SESSION_WEIGHT.exists() else "not weighed")
"""


def test_a_session_counts_for_as_little_as_its_process() -> None:
    """A process with a session of its own goes behind others by its niceness also where sessions are weighed."""
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True, start_new_session=True)
    said = done.stdout.decode().strip()
    assert said.endswith("nice 7") if SESSION_WEIGHT.exists() else said == "not weighed"
