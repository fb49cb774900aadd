"""What callers of a small model notice of what goes on beside them: releases that change, and large pictures.

The server keeps to the first processor with all its processes, the loads to the second.
"""

import subprocess
import sys
import time
from base64 import b64encode
from statistics import median

import msgspec
import onnx

from tests.bench.case import Case
from tests.bench.press import Load, Pressed
from tests.bench.speed import LOADER, Endpoint, Model, image, lockgate, ours, raw_rate, tabular
from tests.bench.stand import percentile
from tests.bench.steady import Sent, steady
from tests.servers.lockgate import Lockgate

SWAPS = 3
"""How often each model gets another release."""
RATE = 200.0
CONNECTIONS = 8
QUIET_S = 3.0
AROUND_S = 2.0
"""How long after an operator's request its effects are looked for."""
PICTURES_AT_ONCE = 4
SECONDS = 5.0


def _renewed(model: Model, number: int) -> bytes:
    """The same model as another file."""
    again = onnx.load_from_string(model.file)
    again.doc_string = f"release {number}"
    return bytes(again.SerializeToString())


def _post(server: Lockgate, path: str, **body: bool) -> None:
    with server.client() as operator:
        answer = operator.post(f"/api/v1/models/{path}", json={"why": "bench", **body})
    assert answer.is_success, answer.text


def _moments(server: Lockgate) -> list[float]:
    """When something was moved: each model is promoted and rolled back again and again, with quiet between."""
    moments: list[float] = []
    for number in range(2, 2 + SWAPS):
        for model in (tabular(), image()):
            for path, force in ((f"releases/{number}/promotion", {"force": True}), ("rollback", {})):
                time.sleep(QUIET_S + AROUND_S)
                moments.append(time.monotonic())
                _post(server, f"{model.name}/{path}", **force)
    time.sleep(AROUND_S)
    return moments


def _step(sent: Sent, moment: float) -> float:
    """The p99 of what was due after a moment over that of the quiet seconds before."""
    quiet = sent.took_between(moment - QUIET_S, moment)
    return percentile(sent.took_between(moment, moment + AROUND_S), 0.99) / percentile(quiet, 0.99)


def _swap_step() -> float:
    """The larger of the steps that a promotion of either model makes in the small one's answers, and a rollback."""
    with lockgate(tabular(), image()) as (server, key):
        for number in range(2, 2 + SWAPS):
            for model in (tabular(), image()):
                (server.folder / "model.onnx").write_bytes(_renewed(model, number))
                (server.folder / "model.toml").write_text(model.card, encoding="utf-8")
                server.run("models", "add", model.name, "model.onnx", "--card", "model.toml")
        request = ours(server, key, tabular(), tabular().json()).request
        with steady(server.port, request, connections=CONNECTIONS, rate=RATE, processor=LOADER) as load:
            moments = _moments(server)
            sent = load.end()
    failed = [answer for changes in load.changes for answer in changes if answer.status != 200]
    assert not failed, failed
    assert sent.due_s[-1] > moments[-1] + AROUND_S / 2, "the server does not keep up with the load"
    kinds = 4  # each model's promotion and rollback
    return max(median(_step(sent, moment) for moment in moments[kind::kinds]) for kind in range(kinds))


def _small_beside_large() -> float:
    """The p99 of the small model beside pictures without a pause, over the time of one picture of the raw loop."""
    with lockgate(tabular(), image()) as (server, key):
        small = ours(server, key, tabular(), tabular().json())
        large = ours(server, key, image(), image().binary())
        return median(_beside(small, large) * raw_rate(image()) / 1e6 for _ in range(SWAPS))


def _beside(small: Endpoint, large: Endpoint) -> float:
    """The p99 in microseconds of the small one at a steady rate, while the large one is asked without a pause."""
    with _pressing(large, PICTURES_AT_ONCE, SECONDS + 2) as pictures:
        with _pressing(small, CONNECTIONS, SECONDS, RATE) as asked:
            told = _pressed(asked)
        beside = _pressed(pictures)
    assert set(told.statuses) == {200}, told.statuses
    assert beside.rate, "no picture was answered"
    return told.p99_us


def _pressing(
    endpoint: Endpoint, connections: int, seconds: float, rate: float | None = None
) -> subprocess.Popen[bytes]:
    """A load that has begun."""
    load = Load(
        port=endpoint.port, request=b64encode(endpoint.request).decode(), connections=connections, seconds=seconds,
        rate=rate, processor=LOADER,
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.press"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(load))
    process.stdin.close()
    return process


def _pressed(process: subprocess.Popen[bytes]) -> Pressed:
    """What came of it."""
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.read(), type=Pressed)


CASES = (
    Case(
        name="swap_latency_step",
        what="p99 of a small model's answers after a promotion or rollback over that of the quiet seconds before",
        better="lower",
        goal=2.0,
        measure=_swap_step,
    ),
    Case(
        name="small_beside_large",
        what="p99 of a small model's answers beside pictures without a pause, over the time of one picture",
        better="lower",
        goal=1.0,
        measure=_small_beside_large,
    ),
)
