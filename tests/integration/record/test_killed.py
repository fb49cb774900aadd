"""A process killed while it records: what was acknowledged is there."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

from gateway.record.reader import tail
from gateway.record.sealed import MemoryRegistry
from gateway.record.segment import Ownership, open_segments
from review.traffic.query import TrafficReader, Window
from review.traffic.seal import Sealer
from tests.integration.record.scene import committed
from tests.unit.record.samples import TENANT

CHILD = Path(__file__).parent / "append_until_killed.py"
ACKNOWLEDGED = 1500


async def test_every_acknowledged_entry_of_two_killed_processes_is_read_once(tmp_path: Path) -> None:
    """Two processes append under load and are killed with SIGKILL; nothing acknowledged is lost, nothing is doubled."""
    traffic = tmp_path / "traffic"
    children = [start(traffic, name) for name in ("gateway-1", "gateway-2")]
    acknowledged = [line for child in children for line in read_then_kill(child)]
    assert len(acknowledged) >= 2 * ACKNOWLEDGED

    found = [recorded.entry.prediction for stretch in tail(traffic / "open", {}) for recorded in stretch.entries]
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)

    cursors, registry = committed(traffic), MemoryRegistry()
    report = await Sealer(traffic, registry, cursors).run()
    assert (report.owned, report.behind, report.failed) == (0, 0, ())
    (count,) = await TrafficReader(traffic, registry).counts(Window(tenant=TENANT), by=())
    assert count.predictions == len(found)


def test_a_segment_is_owned_exactly_as_long_as_its_process_lives(tmp_path: Path) -> None:
    """The lock of the segment being written belongs to its process and is free when that is killed."""
    child = start(tmp_path / "traffic", "gateway-1")
    assert child.stdout is not None
    child.stdout.readline()
    newest = open_segments(tmp_path / "traffic" / "open")[-1]
    owned = Ownership.take(newest)
    read_then_kill(child)
    assert owned is None or newest != open_segments(tmp_path / "traffic" / "open")[-1]
    for path in open_segments(tmp_path / "traffic" / "open"):
        ownership = Ownership.take(path)
        assert ownership is not None
        with ownership:
            pass


def start(traffic: Path, process: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, str(CHILD), str(traffic), process], stdout=subprocess.PIPE, text=True)


def read_then_kill(child: "subprocess.Popen[str]") -> list[UUID]:
    """The ids that the child acknowledged, all that it printed before the kill took effect."""
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(ACKNOWLEDGED)]
    child.kill()
    rest = child.stdout.read()
    child.stdout.close()
    child.wait()
    whole = "".join(lines) + rest[: rest.rfind("\n") + 1]
    return [UUID(line) for line in whole.split()]
