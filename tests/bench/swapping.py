"""What callers of a small model notice of releases that change beside them.

The server keeps to the first processor with all its processes, the loads to the second.
"""

import time
from dataclasses import replace
from statistics import median

import onnx

from tests.bench.case import Case
from tests.bench.load import LOADER
from tests.bench.site import lockgate
from tests.bench.stand import percentile
from tests.bench.steady import Sent, steady
from tests.bench.subjects import Subject, image, tabular
from tests.servers.lockgate import Lockgate

SWAPS = 3
"""How often each model gets another release."""
RATE = 200.0
CONNECTIONS = 8
QUIET_S = 3.0
AROUND_S = 2.0
"""How long after an operator's request its effects are looked for."""


def _renewed(model: Subject, number: int) -> Subject:
    """The same model as another file."""
    again = onnx.load_from_string(model.file)
    again.doc_string = f"release {number}"
    return replace(model, file=bytes(again.SerializeToString()))


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
    with lockgate(tabular(), image()) as site:
        server = site.server
        for number in range(2, 2 + SWAPS):
            for model in (tabular(), image()):
                site.add(_renewed(model, number))
        request = site.endpoint(tabular(), tabular().json()).request
        with steady(server.port, request, connections=CONNECTIONS, rate=RATE, processor=LOADER) as load:
            moments = _moments(server)
            sent = load.end()
    failed = [answer for changes in load.changes for answer in changes if answer.status != 200]
    assert not failed, failed
    assert sent.due_s[-1] > moments[-1] + AROUND_S / 2, "the server does not keep up with the load"
    kinds = 4  # each model's promotion and rollback
    return max(median(_step(sent, moment) for moment in moments[kind::kinds]) for kind in range(kinds))


CASES = (
    Case(
        name="swap_latency_step",
        what="p99 of a small model's answers after a promotion or rollback over that of the quiet seconds before",
        better="lower",
        goal=2.0,
        measure=_swap_step,
    ),
)
