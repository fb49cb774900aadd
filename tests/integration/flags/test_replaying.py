"""What callers tell, through a whole Lockgate: the same paths after a crash, and a replay from the log alone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
import httpx
import numpy as np
import pytest

from flags.folding import fold
from gateway.facts import facts_of
from gateway.record.entries import Decided
from gateway.record.reader import tail
from gateway.store.flags import states_at
from gateway.store.ledger import Ledger
from tests.acceptance.cards import card, request, sure
from tests.acceptance.rpc import Rpc, parameters, refused
from tests.acceptance.scene import Scene, staged
from tests.models import softmax
from tests.servers.process import until

MODEL, SECRET = "told", "a secret of the caller"
CONTEXT = """
[context]
address = true

[context.properties]
plan = { values = ["free", "gold"] }
amount = { type = "number" }
note = {}
"""
ROLLOUT = {"rollout": "50", "stickiness": "default", "groupId": MODEL}
GOLD = {"contextName": "plan", "operator": "IN", "values": ["gold"]}
LARGE = {"contextName": "amount", "operator": "NUM_GT", "value": "10"}
AUTOMATED = {"enabled": True, "strategies": [
    {"name": "flexibleRollout", "parameters": ROLLOUT, "constraints": [GOLD]},
    {"name": "default", "constraints": [LARGE]},
]}  # fmt: skip
SHADOW = {"enabled": True, "strategies": [{"name": "remoteAddress", "parameters": {"IPs": "192.0.2.0/24"}}]}
Body = dict[str, Any]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with a model whose flags read what callers tell."""
    with staged(tmp_path_factory.mktemp("told")) as opened:
        opened.add(MODEL, softmax(), card() + CONTEXT)
        for kind, flag in (("automated", AUTOMATED), ("shadow", SHADOW)):
            named = f"/api/v1/flags/{MODEL}.{kind}"
            put = opened.operator.put(named, json={"definition": flag, "why": "a test"})
            assert put.is_success, put.text
        with opened.server.client(opened.caller) as caller:
            large = request(sure(), parameters={"amount": 11})
            until(lambda: _ask(caller, large).status_code == httpx.codes.OK, "the flags in force")
        yield opened


def _ask(caller: httpx.Client, body: Body, header: str = "") -> httpx.Response:
    """What a request is told, which is 202 where it is held."""
    more = {"Lockgate-Context": header} if header else {}
    return caller.post(f"/v2/models/{MODEL}/infer", json=body, headers={"Prefer": "respond-async", **more})


def _requests() -> list[tuple[Body, str]]:
    """Requests with their contexts: by parameters, by the header, by both, and without."""
    found: list[tuple[Body, str]] = []
    for number in range(8):
        user = {"user_id": f"u-{number}", "plan": "gold", "note": SECRET}
        found.append((request(sure(), parameters=user), ""))
        found.append((request(sure()), urlencode({"session_id": f"s-{number}", "plan": "gold", "note": SECRET})))
        found.append((request(sure(), parameters={"plan": "free", "amount": number * 3}), f"user_id=u-{number}"))
        found.append((request(sure(), parameters={"remote_address": f"192.0.2.{number}"}), ""))
    return found


async def test_a_decision_is_the_same_after_a_crash_and_from_its_entry_alone(scene: Scene) -> None:
    """Killed and started again, the same callers meet the same paths; each entry replays to its recorded answers."""
    asked = _requests()
    with scene.server.client(scene.caller) as caller:
        before = [_ask(caller, *one).status_code for one in asked]
        assert {httpx.codes.OK, httpx.codes.ACCEPTED} == set(before)
        scene.server.kill()
        scene.server.start()
        scene.until_served(MODEL)
        assert [_ask(caller, *one).status_code for one in asked] == before
    entries = _entries(scene)
    assert len(entries) >= 2 * len(asked)
    ledger = Ledger.open(f"sqlite+aiosqlite:///{scene.server.folder / 'data' / 'ledger.db'}")
    async with ledger.reading() as r:
        states = await states_at(r, {entry.flags.state or "" for entry in entries})
    await ledger.close()
    for entry in entries:
        view = fold(states[entry.flags.state or ""]).view(facts_of(entry))
        again = [(flag.enabled, flag.reason) for flag in (view.automated, view.shadow, view.candidate)]
        assert again == [(flag.enabled, flag.reason) for flag in entry.flags.answers]
    assert {flag.enabled for entry in entries for flag in entry.flags.answers} == {True, False}


def _entries(scene: Scene) -> list[Decided]:
    """The decided entries of the model in the open segments."""
    found = tail(scene.server.folder / "data" / "traffic" / "open", {})
    entries = [recorded.entry for stretch in found for recorded in stretch.entries]
    return [entry for entry in entries if isinstance(entry, Decided) and entry.model == MODEL]


def test_what_no_flag_reads_is_in_no_file(scene: Scene) -> None:
    """The value of a property that nobody reads is in neither the traffic log nor the server's own."""
    with scene.server.client(scene.caller) as caller:
        answer = _ask(caller, request(sure(), parameters={"amount": 99, "note": SECRET, "plan": "gold"}))
    shown = scene.server.run("predictions", "show", answer.json()["parameters"]["prediction_id"]).stdout
    assert "plan 'gold', amount '99'" in shown
    assert "told and not kept, since no flag read it: note" in shown
    traffic = list((scene.server.folder / "data" / "traffic").rglob("*.*"))
    for file in (*traffic, scene.server.folder / "lockgate.log"):
        assert not file.is_file() or SECRET.encode() not in Path(file).read_bytes()


def test_traffic_is_counted_by_what_was_told(scene: Scene) -> None:
    """Every path a plan has met, in one table."""
    with scene.server.client(scene.caller) as caller:
        _ask(caller, request(sure(), parameters={"plan": "free", "amount": 12}))
    counted = scene.server.json("traffic", "--model", MODEL, "--by", "path,context.plan")
    found = {(one["path"], one["context"]["plan"]): one["predictions"] for one in counted["counts"]}
    assert found[("automated", "free")] >= 1


@pytest.mark.parametrize(
    ("sent", "header", "code"),
    [
        ({"plan": "silver"}, "", "context-refused"),
        ({"user_id": "a"}, "user_id=b", "context-contradicts"),
        ({}, "plan", "context-header-refused"),
    ],
)
def test_a_context_that_is_not_right_is_refused(scene: Scene, sent: Body, header: str, code: str) -> None:
    """The caller is told what was expected, and nothing is predicted."""
    with scene.server.client(scene.caller) as caller:
        answer = _ask(caller, request(sure(), parameters=sent), header)
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (400, code)


def test_metadata_and_parameters_tell_the_same_over_grpc(scene: Scene) -> None:
    """What the header says over HTTP is metadata over gRPC; both ways are read and refused alike."""
    with closing(Rpc(f"127.0.0.1:{scene.server.grpc_port}")) as rpc:
        inputs = {"x": ("FP32", np.array([sure()], np.float32))}
        told = rpc.call("ModelInfer", rpc.inference(MODEL, inputs), key=scene.caller, lockgate_context="amount=99")
        assert parameters(told)["review_status"] == "automated"
        by_parameter = rpc.inference(MODEL, inputs)
        by_parameter.parameters["plan"].string_param = "silver"
        with pytest.raises(grpc.RpcError) as caught:
            rpc.call("ModelInfer", by_parameter, key=scene.caller)
        assert refused(caught.value)[:2] == ("INVALID_ARGUMENT", "context-refused")


def test_nobody_passes_for_another_caller(scene: Scene) -> None:
    """Who calls and for which tenant comes from the key; what is sent under these names is not heard."""
    with scene.server.client(scene.caller) as caller:
        forged = {"tenant": "other", "caller": "other", "amount": 12}
        told = _ask(caller, request(sure(), parameters=forged), "tenant=other&caller=other&model=other")
        assert told.status_code == httpx.codes.OK
    story = scene.server.json("predictions", "show", told.json()["parameters"]["prediction_id"])["story"]
    assert (story["caller"], story["context"], story["unread"]) == ("service", {"amount": "12"}, [])
