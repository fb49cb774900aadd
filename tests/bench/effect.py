"""From a correction to the lane knowing what it changed: a real server, its worker, two releases of a model."""

import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.bench.case import Case
from tests.bench.stand import CARD, MODEL, percentile
from tests.models import text_classifier
from tests.servers.lockgate import ADMIN, Lockgate, running_lockgate

ROUNDS = 20
PATIENCE_S = 30.0


def _measure() -> float:
    """The slowest of all rounds; the first one starts the child process and opens both releases."""
    with tempfile.TemporaryDirectory() as name, running_lockgate(Path(name)) as server:
        (Path(name) / "model.onnx").write_bytes(text_classifier())
        (Path(name) / "model.toml").write_text(CARD, encoding="utf-8")
        for _ in range(2):
            server.run("models", "add", MODEL, "model.onnx", "--card", "model.toml")
        _make_reviewer(server)
        key = server.json("keys", "add", "bench", "--scope", "predict:*")["key"]
        with server.client() as client:
            waits = [_round(server, client, key, number) for number in range(ROUNDS)]
    return percentile(waits, 1.0)


def _make_reviewer(server: Lockgate) -> None:
    """Let the admin review the default queue."""
    for role in ("reviewer", "lead"):
        server.run("people", "grant", ADMIN["email"], role)
    (person,) = server.json("people", "list")
    with server.client() as client:
        client.put(f"/api/v1/queues/default/members/{person['id']}").raise_for_status()


def _round(server: Lockgate, client: httpx.Client, key: str, number: int) -> float:
    """Hold a sentence, correct it, and ask until its effect is there."""
    body = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [f"sentence {number}"]}]}
    headers = {"authorization": f"Bearer {key}", "prefer": "respond-async"}
    httpx.post(f"{server.url}/v2/models/{MODEL}/infer", json=body, headers=headers).raise_for_status()
    claim = _claim(client)
    shown = client.get(f"/api/v1/cases/{claim['case_id']}").raise_for_status().json()
    other = "neutral" if shown["answer"] != "neutral" else "negative"
    verdict = {"kind": "correct", "answer": other, "token": claim["token"], "post_key": f"bench-{number}"}
    client.post(f"/api/v1/claims/{claim['id']}/verdict", json=verdict).raise_for_status()
    committed = time.perf_counter()
    while client.get(f"/api/v1/cases/{claim['case_id']}/effect").status_code != httpx.codes.OK:
        assert time.perf_counter() - committed < PATIENCE_S
        time.sleep(0.01)
    return time.perf_counter() - committed


def _claim(client: httpx.Client) -> dict[str, Any]:
    (claim,) = client.post("/api/v1/claims", json={}).raise_for_status().json()
    return dict(claim)


CASES = (
    Case(
        name="correction_to_effect_s",
        what=f"seconds from a correction until what it changed is known, the slowest of {ROUNDS}, from a cold start",
        better="lower",
        goal=5.0,
        measure=_measure,
    ),
)
