"""A release takes over and is rolled back under a steady load, and a large model's run holds up nobody else."""

import asyncio
import json

from tests.acceptance.cards import card, request, sure
from tests.acceptance.scene import Scene
from tests.acceptance.trial import WHY, found_with_candidate
from tests.bench.steady import Answer, steady
from tests.models import contrary, sticking

CONNECTIONS = 6
RATE = 60.0
ALWAYS = -1e4
"""The large model counts from here even for a small input: too long for the event loop."""
FAR = 2e5
"""Up to here it counts for as long as some hundred small requests take."""


def test_no_request_fails_while_another_file_takes_over(scene: Scene) -> None:
    """Every connection of another process is answered 200 by the old release, then the new one, then the old one.

    The two have different files, so each answer tells by its numbers, too, which of them was run.
    """
    found_with_candidate(scene, "swapped", contrary())
    body = json.dumps(request(sure())).encode()
    head = f"Host: tests\r\nAuthorization: Bearer {scene.caller}\r\nContent-Length: {len(body)}"
    asked = f"POST /v2/models/swapped/infer HTTP/1.1\r\n{head}\r\n\r\n".encode() + body
    with steady(scene.server.port, asked, connections=CONNECTIONS, rate=RATE) as load:
        load.until_all_by("swapped@1")
        promoted = scene.operator.post("/api/v1/models/swapped/releases/2/promotion", json={"why": WHY, "force": True})
        assert promoted.is_success, promoted.text
        load.until_all_by("swapped@2")
        rolled = scene.operator.post("/api/v1/models/swapped/rollback", json={"why": WHY})
        assert rolled.is_success, rolled.text
        load.until_all_by("swapped@1")
        sent = load.end()
    by_turns = [(200, "swapped@1", 2), (200, "swapped@2", 0), (200, "swapped@1", 2)]
    for changes in load.changes:
        assert [_without_connection(answer) for answer in changes] == by_turns
    assert len(sent.took_s) >= 3 * CONNECTIONS


def _without_connection(answer: Answer) -> tuple[int, str, int]:
    return answer.status, answer.release, answer.largest


async def test_a_small_model_answers_while_a_large_one_runs(scene: Scene) -> None:
    """While a long run is on its way, requests for another model of the same gateway are answered."""
    scene.found("small")
    scene.add("large", sticking(ALWAYS), card())
    for name in ("small", "large"):
        scene.switch(name, on=True)
    scene.until_automated("small", "large")
    async with scene.calling() as caller, scene.calling() as other:
        running = asyncio.create_task(caller.ask("large", request([FAR, 0.0, 0.0, 0.0])))
        await asyncio.sleep(0)
        meanwhile = 0
        while not running.done():
            assert (await other.ask("small", request(sure()))).status_code == 200
            meanwhile += not running.done()
        assert (await running).status_code == 200
        assert meanwhile >= 3  # one may have come before the large one began
