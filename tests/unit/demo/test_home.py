"""The folder of the demo: one play at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.errors import AlreadyPlaying
from demo.home import only_one

HOLDER = """
import sys
from pathlib import Path
from demo.home import only_one
with only_one(Path(sys.argv[1])) as announce:
    announce("http://127.0.0.1:8123/console")
    print("playing", flush=True)
    sys.stdin.read()
"""


def test_a_second_demo_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    """One sentence names the first one's process and link; once that was killed, nothing is in the way."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"playing\n"
        told = rf"process {first.pid}\): open http://127\.0\.0\.1:8123/console"
        with pytest.raises(AlreadyPlaying, match=told), only_one(tmp_path):
            pass
        first.kill()
    with only_one(tmp_path):
        assert str(os.getpid()) in (tmp_path / "playing.json").read_text()


def test_a_demo_that_ended_leaves_the_place_free(tmp_path: Path) -> None:
    """The next one may play in the same folder."""
    for _ in range(2):
        with only_one(tmp_path) as announce:
            announce("http://127.0.0.1:8000")
    assert (tmp_path / "playing.json").read_bytes() == b""


def test_a_demo_that_has_not_opened_yet_says_so(tmp_path: Path) -> None:
    """Before the first has a link, the second is told to look for it in the first one's terminal."""
    with only_one(tmp_path), pytest.raises(AlreadyPlaying, match="as soon as it prints one"), only_one(tmp_path):
        pass
