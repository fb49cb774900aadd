"""The disk comes down to its reserve."""

from pathlib import Path

import httpx

from tests.acceptance.cards import doubtful, request, sure
from tests.acceptance.scene import Scene, staged

MORE_THAN_ANY_DISK = 10**18


async def test_a_full_disk_refuses_or_leaves_unrecorded_as_the_policy_says(tmp_path: Path) -> None:
    """At the reserve a model refuses with 503, or answers unrecorded and counts that; nothing is held any more."""
    with staged(tmp_path, disk_reserve_bytes=MORE_THAN_ANY_DISK) as scene:
        for model, unrecorded in (("strict", "refuse"), ("lenient", "answer")):
            scene.found(model, unrecorded=unrecorded)
            scene.switch(model, on=True)
        scene.until_automated("lenient")
        before = unrecorded_entries(scene)
        async with scene.calling() as caller:
            refused = await caller.ask("strict", request(sure()))
            answered = await caller.ask("lenient", request(sure()))
            held = await caller.ask("lenient", request(doubtful()))
        assert (refused.status_code, code(refused)) == (503, "disk-reserve-reached")
        assert answered.status_code == 200
        assert (held.status_code, code(held)) == (503, "disk-reserve-reached")
        assert unrecorded_entries(scene) == before + 1
        assert not disk_is_up(scene)


def code(answer: httpx.Response) -> str:
    """The stable name of what went wrong."""
    return str(answer.json()["type"].rpartition("#")[2])


def unrecorded_entries(scene: Scene) -> float:
    """How many predictions went unrecorded, as the metrics say."""
    lines = httpx.get(f"{scene.server.monitor_url}/metrics", timeout=10).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("lockgate_traffic_unrecorded"))


def disk_is_up(scene: Scene) -> bool:
    """Whether every process says that there is room."""
    told = httpx.get(f"{scene.server.monitor_url}/health", timeout=10).json()["processes"]
    return all(one["state"] == "up" for process in told for one in process["dependencies"] if one["name"] == "disk")
