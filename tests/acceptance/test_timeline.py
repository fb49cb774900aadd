"""The timeline from outside: a command follows it through a gateway, and the server ends in spite of it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.scene import Scene, staged
from tests.servers.process import until

DRAIN_S = 180.0
"""How long a process may finish its requests; a stream that is waited for takes all of it."""


@contextmanager
def following(scene: Scene, folder: Path) -> Iterator[Path]:
    """`lockgate timeline --follow` at work; what it has printed."""
    printed = folder / "followed.txt"
    environment = scene.server.environment | {
        "LOCKGATE_URL": scene.server.url, "LOCKGATE_TOKEN": scene.operate, "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "lockgate", "timeline", "grades", "--follow"]
    with printed.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        try:
            yield printed
        finally:
            process.kill()
            process.wait()


def test_a_timeline_is_followed_and_delays_no_end(tmp_path: Path) -> None:
    """What happened is printed, and then what happens; with the stream open the server ends without waiting for it."""
    with staged(tmp_path, drain_s=DRAIN_S) as scene, following(scene, tmp_path) as printed:
        until(lambda: "grades@1 serves, the first release" in printed.read_text(), "what happened before")
        scene.halt("grades", "refuse")
        until(lambda: "Halted: every request is refused. (key:ci) “a test”" in printed.read_text(), "the halt")
        assert scene.server.process.stop(signal.SIGTERM, DRAIN_S / 2) == 0
