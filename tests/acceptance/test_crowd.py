"""Crowds: thousands who say nothing and some who do not read cost little, end in time, and keep nobody out."""

import json
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from tests.acceptance.cards import doubtful, request, sure
from tests.acceptance.scene import Scene, staged
from tests.acceptance.tensors import LENGTH
from tests.models import many_numbers
from tests.servers.process import MissingPart, until

CROWD, FEWEST = 10_000, 2_000
KIB, MIB = 1 << 10, 1 << 20
HEAD_S, ANSWER_S = 12.0, 2.0
UNREAD = 32 * MIB
LARGE = 2 * MIB
"""The numbers in a large answer, of which each takes four bytes."""
RESERVED = 512
IDLE = Path(__file__).parent / "idle.py"
LARGE_CARD = """
guideline = "How much is it?"
[about]
owner = "The tests"
contact = "tests@example.org"
intended_use = "To answer much."
limitations = "It knows nothing."
[[shown]]
input = "x"
kind = "table"
[answer]
output = "score"
[labels]
kind = "number"
[policy]
audit_rate = 0.0
audit_rate_under_pressure = 0.0
capture = 0.0
"""


def crowd() -> int:
    """How many connections the system lets one process have here, at most those that are wanted."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = CROWD if hard == resource.RLIM_INFINITY else min(CROWD, (hard - RESERVED) * 10 // 11 - 100)
    if found < FEWEST:
        raise MissingPart(f"{FEWEST} connections need more open files than {hard}: raise the hard limit (ulimit -Hn)")
    return found


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate that takes as many connections as the crowd has."""
    bounds = {"connections_max": crowd(), "body_s": HEAD_S, "answer_s": ANSWER_S, "unread_max_bytes": UNREAD}
    with staged(tmp_path_factory.mktemp("crowded"), **bounds) as scene:
        scene.switch("grades", on=True)
        scene.until_automated("grades")
        yield scene


def gateway(scene: Scene) -> psutil.Process:
    """The process that callers are connected to."""
    return psutil.Process(scene.server.processes()["gateway-1"])


def test_ten_thousand_who_say_nothing_keep_nobody_out(crowded: Scene) -> None:
    """They cost little memory, leave files for the ledger, give way to who has a request, and are cut off in time."""
    process, many = gateway(crowded), crowd()
    before = process.memory_info().rss
    words = [sys.executable, str(IDLE), str(crowded.server.port), str(many)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as idle:
        assert idle.stdout is not None
        assert idle.stdout.readline() == "open\n"
        for _ in range(3):
            with crowded.server.client(crowded.caller) as caller:  # a new connection, in the place of an idle one
                assert caller.post("/v2/models/grades/infer", json=request(sure())).status_code == 200
                held = caller.post(
                    "/v2/models/grades/infer", json=request(doubtful()), headers={"Prefer": "respond-async"}
                )
                assert held.status_code == 202
                assert caller.delete(held.headers["Location"]).status_code == 204
        assert process.num_fds() <= many + RESERVED
        assert (process.memory_info().rss - before) / many < 64 * KIB
        assert idle.stdout.readline() == f"{many}\n"


def asking(scene: Scene) -> bytes:
    """A request for a large answer, as it goes over the wire."""
    body = json.dumps(
        {
            "inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1]}],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
        }
    )
    head = f"POST /v2/models/many/infer HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {scene.caller}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def test_who_does_not_read_an_answer_is_cut_off(crowded: Scene) -> None:
    """Large answers that nobody reads take bounded memory and end at a declared time; who reads gets every byte."""
    crowded.add("many", many_numbers(LARGE), LARGE_CARD)
    crowded.switch("many", on=True)
    with crowded.server.client(crowded.caller) as caller:
        until(lambda: read_all(caller, crowded), "the large answer is read")
        process = gateway(crowded)
        before = process.memory_info().rss
        with ExitStack() as stack:
            deaf = [stack.enter_context(socket.socket()) for _ in range(20)]
            for each in deaf:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                each.settimeout(60)
                each.connect(("127.0.0.1", crowded.server.port))
                each.sendall(asking(crowded))
            grown = []
            for _ in range(5):
                assert read_all(caller, crowded)
                grown.append(process.memory_info().rss - before)
            assert max(grown) < UNREAD + 8 * 4 * LARGE
            assert all(is_ended(each) for each in deaf)


def read_all(caller: httpx.Client, scene: Scene) -> bool:
    """Whether the large answer came whole."""
    _, _, body = asking(scene).partition(b"\r\n\r\n")
    answer = caller.post("/v2/models/many/infer", content=body)
    if answer.status_code != 200:
        return False
    raw = answer.content[int(answer.headers[LENGTH]) :]
    return bool(np.array_equal(np.frombuffer(raw, np.float32), np.ones(LARGE, np.float32)))


def is_ended(deaf: socket.socket) -> bool:
    """Whether the other side ends the connection, which is seen without reading from it."""
    watched = select.poll()
    watched.register(deaf, 0)  # only its end is waited for
    return bool(watched.poll(60_000))
