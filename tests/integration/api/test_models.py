"""Models, flags and halts over HTTP: who may do what, and what is answered."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.http.lookup import decode_unkept
from gateway.ids import new_id
from gateway.registry.card import CARD_MAX_BYTES
from tests.integration.api.conftest import Api
from tests.integration.record.scene import record
from tests.models import softmax
from tests.unit.record.samples import decided


async def test_an_operator_adds_a_model_and_everybody_sees_it(api: Api) -> None:
    """Founded with all flags off; a reviewer sees what serves, its card and its history."""
    added = await api.add()
    assert (added.status_code, added.json()["release"], added.json()["founding"]) == (201, "numbers@1", True)
    (line,) = (await api.ask("reviewer", "GET", "/models")).json()
    assert (line["release"], line["holds_waiting"], line["halt"]) == ("numbers@1", 0, None)
    assert [(flag["flag"], flag["on"]) for flag in line["flags"]] == [
        ("numbers.automated", False),
        ("numbers.shadow", False),
        ("numbers.candidate", False),
    ]
    shown = (await api.ask("reviewer", "GET", "/models/numbers")).json()
    assert shown["card"]["about"]["owner"] == "Tests"
    assert [moment["action"] for moment in shown["history"]] == ["founded"]
    assert [spec["name"] for spec in shown["inputs"]] == ["x"]


@pytest.mark.parametrize("who", ["reviewer", "auditor", "admin"])
async def test_only_operators_change_what_is_served(api: Api, who: str) -> None:
    """Adding, flipping and halting are an operator's; the others read."""
    await api.add()
    assert (await api.add("other", who=who)).status_code == 403
    for method, path, body in (
        ("PUT", "/flags/numbers.automated/switch", {"on": True, "why": "x"}),
        ("PUT", "/flags/numbers.automated", {"rollout": 5, "why": "x"}),
        ("PUT", "/models/numbers/halt", {"mode": "refuse", "why": "x"}),
        ("DELETE", "/models/numbers/halt?why=x", None),
    ):
        assert (await api.ask(who, method, path, json=body)).status_code == 403
    for path in ("/models", "/flags", "/flags/numbers.automated", "/flags/numbers.automated/history"):
        assert (await api.ask(who, "GET", path)).status_code == 200


async def test_a_flip_says_which_state_is_in_force(api: Api) -> None:
    """The answer carries the digest that decisions will be stamped with, and the revision at which gateways follow."""
    await api.add()
    body = {"on": True, "why": "a week of audits without an error"}
    flipped = (await api.ask("ci", "PUT", "/flags/numbers.automated/switch", json=body)).json()
    assert (flipped["changed"], flipped["switch"]["on"], flipped["switch"]["reach"]) == (True, True, "everybody")
    shown = (await api.ask("operator", "GET", "/flags/numbers.automated")).json()
    assert shown["state"] == flipped["state"]
    assert shown["history"][0]["authorship"]["by"] == "key:service"
    again = (await api.ask("operator", "PUT", "/flags/numbers.automated/switch", json=body)).json()
    assert (again["changed"], again["state"], again["plan_revision"]) == (
        False,
        flipped["state"],
        flipped["plan_revision"],
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/flags/numbers.automated/switch", {"on": True, "why": " "}, 400, "reason-missing"),
        ("/flags/numbers.automated/switch", {"on": True}, 400, "bad-request"),
        ("/flags/numbers.automated/switch", {"on": True, "why": "x", "expected_version": 9}, 409, "flags-changed"),
        ("/flags/other.automated/switch", {"on": True, "why": "x"}, 404, "unknown-flag"),
        ("/flags/numbers.lucky/switch", {"on": True, "why": "x"}, 400, "not-a-model-flag"),
        ("/flags/numbers.automated", {"why": "x"}, 400, "either-definition-or-rollout"),
        ("/flags/numbers.automated", {"why": "x", "definition": {"enabled": True, "strategies": []}}, 400, None),
        ("/models/numbers/halt", {"mode": "review"}, 400, "why-missing"),
        ("/models/numbers/halt", {"mode": "panic", "why": "x"}, 400, "bad-request"),
        ("/models/other/halt", {"mode": "review", "why": "x"}, 404, "unknown-model"),
    ],
)
async def test_each_refusal_has_its_code(
    api: Api, path: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    """What cannot be done is told as a problem with a stable code, and changes nothing."""
    await api.add()
    before = (await api.ask("operator", "GET", "/flags")).json()
    answer = await api.ask("operator", "PUT", path, json=body)
    assert answer.status_code == status, answer.text
    assert code in (None, answer.json()["code"])
    assert (await api.ask("operator", "GET", "/flags")).json() == before


async def test_a_rollout_and_a_whole_definition(api: Api) -> None:
    """A flag is changed by percentage, or whole in Unleash's own JSON."""
    await api.add()
    rolled = await api.ask("operator", "PUT", "/flags/numbers.automated", json={"rollout": 25, "why": "carefully"})
    assert rolled.json()["switch"]["reach"] == "nobody"
    definition = {
        "enabled": True,
        "strategies": [
            {
                "name": "flexibleRollout",
                "parameters": {"rollout": "10", "stickiness": "default", "groupId": "numbers.automated"},
                "constraints": [{"contextName": "plan", "operator": "IN", "values": ["gold"]}],
            }
        ],
    }
    answer = await api.ask(
        "operator", "PUT", "/flags/numbers.automated", json={"definition": definition, "why": "gold"}
    )
    assert answer.json()["switch"]["reach"] == "10 % of requests, under conditions"
    history = (await api.ask("auditor", "GET", "/flags/numbers.automated/history?limit=2")).json()
    assert [change["authorship"]["why"] for change in history] == ["gold", "carefully"]


async def test_a_halt_is_previewed_made_and_lifted(api: Api) -> None:
    """A preview changes nothing; the halt outranks the flags until it is lifted, which can be done once."""
    await api.add()
    path, body = "/models/numbers/halt", {"mode": "review", "why": "wrong since 14:03"}
    preview = (await api.ask("operator", "PUT", f"{path}?preview=1", json={"mode": "review"})).json()
    assert (preview["halted"], preview["expected"]["holds_per_hour"]) == (None, 0.0)
    assert preview["expected"]["said"][0] == "No hold waits now."
    assert (await api.ask("operator", "GET", "/models")).json()[0]["halt"] is None
    halted = (await api.ask("operator", "PUT", path, json=body)).json()["halted"]
    assert (halted["mode"], halted["by"]) == ("review", "person:operator@example.org")
    assert (await api.ask("reviewer", "GET", "/models")).json()[0]["halt"]["why"] == "wrong since 14:03"
    lifted = await api.ask("operator", "DELETE", path, params={"why": "cause found"})
    assert (lifted.status_code, lifted.json()["mode"]) == (200, None)
    assert lifted.json()["plan_revision"] > halted["plan_revision"]
    assert (await api.ask("operator", "DELETE", path, params={"why": "again"})).json()["code"] == "not-halted"


async def test_an_upload_that_cannot_be_taken_is_refused(api: Api) -> None:
    """Too large, without its length, with a card that is no text, or not a form: each is told, and nothing is kept."""
    large = {"file": ("m.onnx", b"x" * 1_500_000), "card": ("c.toml", "")}
    answer = await api.ask("operator", "POST", "/models/numbers/versions", files=large)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload-too-large")
    binary = {"file": ("m.onnx", softmax()), "card": ("c.toml", b"\xff" * 10)}
    assert (await api.ask("operator", "POST", "/models/numbers/versions", files=binary)).json()[
        "code"
    ] == "card-not-text"
    long = {"file": ("m.onnx", b"x"), "card": ("c.toml", b"#" * (CARD_MAX_BYTES + 1))}
    assert (await api.ask("operator", "POST", "/models/numbers/versions", files=long)).status_code == 400
    missing = {"file": ("m.onnx", b"x")}
    assert (await api.ask("operator", "POST", "/models/numbers/versions", files=missing)).status_code == 400
    for part in ("card", "data", "recipe"):
        unreadable = {part: (None, b"\x89PNG\xff")}
        answer = await api.ask("operator", "POST", "/models/numbers/versions", files=unreadable)
        assert (answer.status_code, answer.json()["code"]) == (400, "form-unreadable")
    assert (await api.add("stats")).json()["code"] == "model-name-refused"
    assert (await api.ask("operator", "GET", "/models")).json() == []


async def test_traffic_is_counted_for_those_who_inspect(api: Api) -> None:
    """An empty log counts nothing; a dimension that does not exist is told; reviewers do not see traffic."""
    assert (await api.ask("auditor", "GET", "/traffic?by=path,rule")).json()["counts"] == []
    assert (await api.ask("auditor", "GET", "/traffic?by=weather")).json()["code"] == "dimension-unknown"
    assert (await api.ask("reviewer", "GET", "/traffic")).status_code == 403


async def test_the_reference_shows_every_route_and_error_to_anybody(api: Api) -> None:
    """`/docs` lists the routes of both interfaces, predict included, and `/docs/errors` every code; no script."""
    page = (await api.scene.http.get("/docs")).text
    for route in ("/v2/models/{model}/infer", "/v2/predictions/{prediction_id}", "/api/v1/models/{model}/versions"):
        assert route in page
    assert "<script" not in page
    errors = (await api.scene.http.get("/docs/errors")).text
    for code in ("unknown-prediction", "queue-full", "card-refused", "flags-changed"):
        assert f'id="{code}"' in errors
    document = (await api.scene.http.get("/api/v1/openapi/openapi.json")).json()
    assert document["openapi"].startswith("3.1")


async def test_what_gateways_ask_is_nobody_elses(api: Api) -> None:
    """Without the installation's key there is nothing at that address, whoever asks."""
    path = "/internal/predictions/01a20573-3410-7294-8e0e-6aeee253da6c"
    for key in ({}, {"x-lockgate-internal": ""}, {"x-lockgate-internal": "guess"}):
        assert (await api.scene.http.get(path, headers=key)).status_code == 404
        assert (await api.scene.http.get("/internal/founded", headers=key)).status_code == 404


async def test_the_supervisor_hears_whether_there_is_an_admin(api: Api) -> None:
    """With the installation's key, so that the supervisor greets without a look into the ledger."""
    answer = await api.scene.http.get("/internal/founded", headers={"x-lockgate-internal": "tests"})
    assert answer.json() == {"by_admin": True}


async def test_a_gateway_hears_that_nothing_was_kept_of_an_answer(api: Api, tmp_path: Path) -> None:
    """410 with whose it was, so that the gateway can tell its caller and nobody else; 404 for what never was."""
    entry = msgspec.structs.replace(decided(), inputs=(), outputs=())
    await record(tmp_path / "traffic", [entry])
    key = {"x-lockgate-internal": "tests"}
    answer = await api.scene.http.get(f"/internal/predictions/{entry.prediction}", headers=key)
    told = decode_unkept(answer.content)
    assert (answer.status_code, told.api_key_id, told.why) == (410, entry.api_key, "answered without capture")
    assert (await api.scene.http.get(f"/internal/predictions/{new_id()}", headers=key)).status_code == 404
