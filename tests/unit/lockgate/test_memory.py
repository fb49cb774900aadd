"""The collector of reference cycles keeps its hands off what a ready process has loaded."""

import subprocess
import sys

SCRIPT = """
import gc
import sqlalchemy
from lockgate.processes.memory import keep_pauses_short
keep_pauses_short()
kept = gc.get_freeze_count()
new = [[] for _ in range(10)]
gc.collect()
print(kept > 10_000, gc.get_freeze_count() == kept, len(gc.get_objects()) < kept)
"""


def test_what_is_loaded_is_left_out_of_later_collections() -> None:
    """What is there when the process is ready is frozen for good; what comes later is collected as ever."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
