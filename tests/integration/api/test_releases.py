"""Releases over HTTP: previewed, promoted and rolled back by operators, and read by everybody."""

from typing import Any

import pytest

from tests.integration.api.conftest import Api
from tests.integration.registry.scene import CARD
from tests.models import softmax

OTHER = CARD.replace("Which class?", "Which of the classes?") + "\n[policy]\nhold_below = 0.7\n"


async def add_both(api: Api) -> None:
    """A model that serves release 1, with a release 2 of another file that waits."""
    await api.add()
    assert (await api.add(card=OTHER)).json()["release"] == "numbers@2"


async def test_an_operator_looks_promotes_and_goes_back(api: Api) -> None:
    """A preview changes nothing; what it showed is what then happens, and everybody sees it."""
    await add_both(api)
    path = "/models/numbers/releases/2/promotion"
    preview = (await api.ask("operator", "POST", f"{path}?preview=1", json={})).json()
    assert (preview["moved"], preview["preview"]["before"]) == (None, "numbers@1")
    assert {change["name"] for change in preview["preview"]["difference"]["changes"]} == {
        "version", "policy.hold_below", "guideline",
    }  # fmt: skip
    body = {"why": "better", "expected_revision": preview["preview"]["revision"]}
    moved = (await api.ask("operator", "POST", path, json=body)).json()["moved"]
    assert (moved["release"], moved["revision"], moved["by"]) == ("numbers@2", 2, "person:operator@example.org")
    again = await api.ask("operator", "POST", path, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "already-serves")
    (line,) = (await api.ask("reviewer", "GET", "/models")).json()
    assert (line["release"], line["previous"]) == ("numbers@2", "numbers@1")
    back = await api.ask("operator", "POST", "/models/numbers/rollback?preview=1", json={})
    assert back.json()["preview"]["release"] == "numbers@1"
    done = (await api.ask("ci", "POST", "/models/numbers/rollback", json={"why": "worse"})).json()["moved"]
    assert (done["release"], done["withdrawn"], done["by"]) == ("numbers@1", "numbers@2", "key:service")


@pytest.mark.parametrize("who", ["reviewer", "auditor", "admin"])
async def test_only_operators_move_what_serves(api: Api, who: str) -> None:
    """Not even a preview is anybody else's."""
    await add_both(api)
    for path in ("/models/numbers/releases/2/promotion", "/models/numbers/rollback"):
        assert (await api.ask(who, "POST", path, json={"why": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/numbers/releases/2/promotion", {}, 400, "reason-missing"),
        ("/models/numbers/releases/9/promotion", {"why": "x"}, 404, "no-such-release"),
        ("/models/others/releases/1/promotion", {"why": "x"}, 404, "unknown-model"),
        ("/models/numbers/releases/2/promotion", {"why": "x", "expected_revision": 5}, 409, "serving-changed"),
        ("/models/numbers/rollback", {"why": "x"}, 409, "nothing-to-roll-back-to"),
        ("/models/numbers/rollback", {"why": "x", "to": 2}, 409, "cannot-roll-back-to"),
    ],
)
async def test_each_refusal_of_a_move_has_its_code(
    api: Api, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    """What cannot be done is told as a problem with a stable code, and changes nothing."""
    await add_both(api)
    answer = await api.ask("operator", "POST", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await api.ask("operator", "GET", "/models")).json()[0]["release"] == "numbers@1"


async def test_a_release_is_made_and_everybody_looks(api: Api) -> None:
    """Made by an operator from a card; the list, the release, the difference and the history are anybody's."""
    await api.add()
    body = {"card": CARD + "\n[policy]\nhold_below = 0.7\n", "why": "stricter"}
    assert (await api.ask("reviewer", "POST", "/models/numbers/releases", json=body)).status_code == 403
    made = (await api.ask("operator", "POST", "/models/numbers/releases", json=body)).json()
    assert (made["release"], made["raises_control"]) == ("numbers@2", True)
    lines = (await api.ask("reviewer", "GET", "/models/numbers/releases")).json()
    assert [(line["release"], line["stands"]) for line in lines] == [("numbers@2", "waits"), ("numbers@1", "champion")]
    shown = (await api.ask("auditor", "GET", "/models/numbers/releases/numbers@2")).json()
    assert (shown["policy"]["hold_below"], shown["lowered"]) == (0.7, [])
    between = await api.ask("auditor", "GET", "/models/numbers/releases/2/difference?before=1")
    assert [change["name"] for change in between.json()["changes"]] == ["policy.hold_below"]
    (served,) = (await api.ask("auditor", "GET", "/models/numbers/history")).json()
    assert (served["release"], served["action"], served["gate"], served["forced"]) == (
        "numbers@1", "founded", None, False,
    )  # fmt: skip
    assert (await api.ask("auditor", "GET", "/models/numbers/history?at=yesterday")).json()["code"] == "moment-refused"
    assert (await api.ask("auditor", "GET", "/models/numbers/releases/x")).json()["code"] == "no-such-release"


async def test_a_release_says_who_owns_its_errors(api: Api) -> None:
    """A card that names nobody is taken with a warning; the release tells its owners, and the gate who is missing."""
    reasons = 'kind = "choice"\nreasons = ["torn", "faint"]\nowners.torn = "Scanning"'
    card = CARD.replace('kind = "choice"', reasons)
    added = (await api.add(card=card)).json()
    (warning,) = [one for one in added["warnings"] if "labels.owners" in one]
    assert warning.startswith("labels.owners names nobody for faint")
    shown = (await api.ask("reviewer", "GET", "/models/numbers/releases/1")).json()
    assert (shown["labels"]["reasons"], shown["labels"]["owners"]) == (["torn", "faint"], {"torn": "Scanning"})
    body = {"card": card.replace("Which class?", "Which of them?") + "\n[policy]\naudit_rate = 0.006\n", "why": "x"}
    made = (await api.ask("operator", "POST", "/models/numbers/releases", json=body)).json()
    told = (await api.ask("reviewer", "GET", f"/models/numbers/releases/{made['number']}/gate")).json()
    (owner,) = [check for check in told["checks"] if check["name"] == "owner"]
    assert (owner["verdict"], owner["reasons"]) == (
        "refuse", ["Nobody owns the errors of faint: name an owner in [labels.owners]."],
    )  # fmt: skip


async def test_the_gate_is_asked_and_may_be_forced(api: Api) -> None:
    """Anybody may look; a promotion lists every reason, and force is recorded."""
    await api.add()
    other = softmax() + b"\x12\x05other"  # the name of its producer, as protobuf appends a field
    files = {"file": ("model.onnx", other), "card": ("model.toml", CARD)}
    assert (await api.ask("operator", "POST", "/models/numbers/versions", files=files, timeout=60)).is_success
    told = (await api.ask("reviewer", "GET", "/models/numbers/releases/2/gate")).json()
    assert (told["verdict"], [check["name"] for check in told["checks"] if check["verdict"] == "wait"]) == (
        "wait", ["evaluation", "trial"],
    )  # fmt: skip
    path = "/models/numbers/releases/2/promotion"
    refused = await api.ask("operator", "POST", path, json={"why": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "promote-refused")
    assert "was not evaluated" in refused.json()["detail"]
    assert "No trial" in refused.json()["detail"]
    done = (await api.ask("operator", "POST", path, json={"why": "x", "force": True})).json()
    assert (done["moved"]["forced"], done["gate"]["verdict"]) == (True, "wait")
    (served, _) = (await api.ask("auditor", "GET", "/models/numbers/history")).json()
    assert (served["forced"], served["gate"]["verdict"]) == (True, "wait")


async def test_operators_declare_what_the_gate_asks_for(api: Api) -> None:
    """Inspected by who may, set and cleared by operators and CI, and in the gate's report; nonsense is refused."""
    await add_both(api)
    path, terms = "/models/numbers/gate", {"margin": 0.05, "min_held_out": 50, "min_decided": 10}
    body = {"declaration": terms, "why": "its errors are cheap"}
    for who, status in (("reviewer", 403), ("auditor", 403), ("operator", 200)):
        assert (await api.ask(who, "PUT", path, json=body)).status_code == status
    assert (await api.ask("reviewer", "GET", path)).status_code == 403
    shown = (await api.ask("auditor", "GET", path)).json()
    assert (shown["thresholds"], shown["declared"]["by"]) == (terms, "person:operator@example.org")
    told = (await api.ask("reviewer", "GET", "/models/numbers/releases/2/gate")).json()
    assert (told["thresholds"], told["terms"]["why"]) == (terms, "its errors are cheap")
    for wrong in ({"margin": 1}, {"margin": -0.1}, {"min_held_out": 0}, {"min_decided": 0}, {"min_heldout": 50}):
        assert (await api.ask("operator", "PUT", path, json={"declaration": wrong, "why": "x"})).status_code == 400
    assert (await api.ask("operator", "PUT", path, json={"declaration": terms})).json()["code"] == "reason-missing"
    cleared = (await api.ask("ci", "DELETE", f"{path}?why=enough")).json()
    assert [each["by"] for each in cleared["history"]] == ["key:service", "person:operator@example.org"]
    again = await api.ask("operator", "DELETE", f"{path}?why=enough")
    assert (again.status_code, again.json()["code"]) == (409, "no-terms-declared")


async def test_two_people_lower_what_the_gate_asks_for(api: Api) -> None:
    """Where the card asks for four eyes; who asked cannot confirm, and a reviewer neither."""
    await api.add(card="four_eyes = true\n" + CARD)
    path, lower = "/models/numbers/gate", {"margin": 0.1, "min_held_out": 10, "min_decided": 5}
    asked = (await api.ask("operator", "PUT", path, json={"declaration": lower, "why": "a pilot"})).json()
    assert (asked["thresholds"]["margin"], asked["request"]["declaration"], asked["request"]["by"]) == (
        0.02, lower, "person:operator@example.org",
    )  # fmt: skip
    second = Api(scene=api.scene, keys=api.keys | {"second": await api.scene.person("second", "operator")})
    for who, code in (("operator", "own-terms"), ("ci", "not-a-person"), ("reviewer", "permission-needed")):
        refused = await second.ask(who, "POST", f"{path}/confirmation", json={"why": "agreed"})
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    done = (await second.ask("second", "POST", f"{path}/confirmation", json={"why": "agreed"})).json()
    assert (done["thresholds"], done["request"]) == (lower, None)
    again = await second.ask("second", "POST", f"{path}/confirmation", json={"why": "agreed"})
    assert (again.status_code, again.json()["code"]) == (409, "no-terms-to-confirm")


async def test_two_people_promote_where_the_card_asks_for_four_eyes(api: Api) -> None:
    """The second one confirms what the first one asked for; nobody confirms their own."""
    four = "four_eyes = true\n" + CARD
    await api.add(card=four)
    body = {"card": four + "\n[policy]\naudit_rate = 0.01\n", "why": "fewer checks"}
    assert (await api.ask("operator", "POST", "/models/numbers/releases", json=body)).is_success
    path = "/models/numbers/releases/2/promotion"
    asked = (await api.ask("operator", "POST", path, json={"why": "fewer checks"})).json()
    assert (asked["moved"], asked["four_eyes"], asked["request"]["by"]) == (
        None, True, "person:operator@example.org",
    )  # fmt: skip
    own = await api.ask("operator", "POST", path, json={"why": "me again", "confirm": True})
    assert (own.status_code, own.json()["code"]) == (403, "second-person-needed")
    second = Api(scene=api.scene, keys={"second": await api.scene.person("second", "operator")})
    done = (await second.ask("second", "POST", path, json={"why": "agreed", "confirm": True})).json()
    assert (done["moved"]["by"], done["moved"]["second_person"]) == (
        "person:operator@example.org", "person:second@example.org",
    )  # fmt: skip


async def test_a_trial_is_an_operators(api: Api) -> None:
    """Opened, its canary opened, closed; everybody sees the candidate beside what serves."""
    await add_both(api)
    path = "/models/numbers/trial"
    assert (await api.ask("reviewer", "PUT", path, json={"release": 2, "why": "x"})).status_code == 403
    assert (await api.ask("operator", "PUT", path, json={"release": 2})).json()["code"] == "reason-missing"
    opened = (await api.ask("operator", "PUT", path, json={"release": 2, "why": "x"})).json()
    assert (opened["candidate"], opened["canary_open"], opened["disagreement_probability"]) == ("numbers@2", False, 1.0)
    assert (await api.ask("operator", "PUT", path, json={"release": 2, "why": "x"})).json()["code"] == "trial-open"
    assert (await api.ask("operator", "PUT", f"{path}/canary", json={"why": "x"})).json()["canary_open"]
    (line,) = (await api.ask("reviewer", "GET", "/models")).json()
    assert (line["candidate"], line["canary_open"]) == ("numbers@2", True)
    assert (await api.ask("operator", "DELETE", path, params={"why": "x"})).json()["candidate"] is None
    assert (await api.ask("operator", "DELETE", path, params={"why": "x"})).json()["code"] == "no-trial"
