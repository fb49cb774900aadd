"""Datasets and evaluations over HTTP and in the console: who may do what, and what is answered."""

from review.console.report import report_policy
from tests.integration.api.conftest import Api
from tests.integration.registry.scene import CARD
from tests.models import softmax

NIL = "00000000-0000-7000-8000-000000000000"


async def test_an_operator_freezes_and_evaluates_and_an_auditor_reads(learned: Api) -> None:
    """The report as JSON and as a page whose policy lets its own style through and no script."""
    frozen = (await learned.ask("operator", "POST", "/models/numbers/datasets", json={}, timeout=60)).json()
    path, body = "/releases/numbers@1/evaluations", {"dataset": frozen["dataset"]}
    evaluated = (await learned.ask("operator", "POST", path, json=body, timeout=60)).json()
    (line,) = (await learned.ask("auditor", "GET", path)).json()
    assert (line["id"], line["baseline"]) == (evaluated["id"], None)
    report = (await learned.ask("auditor", "GET", f"/evaluations/{evaluated['id']}")).json()
    assert report["held_out"] == frozen["manifest"]["splits"]["held_out"]
    page = await learned.ask("auditor", "GET", f"/evaluations/{evaluated['id']}/page")
    assert page.headers["content-security-policy"] == report_policy()
    assert page.headers["content-type"].startswith("text/html")
    assert "style=" not in page.text
    headers = {"authorization": f"Bearer {learned.keys['auditor']}"}
    for where in (f"/console/evaluations/{evaluated['id']}", "/console/evaluations/of/numbers"):
        shown = await learned.scene.http.get(where, headers=headers)
        assert (shown.status_code, "numbers@1" in shown.text) == (200, True)


async def test_a_file_is_added_with_what_it_was_trained_with(learned: Api) -> None:
    """The dataset and its history are attached to the new release; an unknown dataset adds nothing."""
    frozen = (await learned.ask("operator", "POST", "/models/numbers/datasets", json={}, timeout=60)).json()
    files = {"file": ("model.onnx", softmax()), "card": ("model.toml", CARD)}
    for data, status in (("0" * 64, 404), (frozen["dataset"][:16], 201)):
        given = {"files": files, "data": {"data": data}, "timeout": 60}
        assert (await learned.ask("operator", "POST", "/models/numbers/versions", **given)).status_code == status
    shown = (await learned.ask("auditor", "GET", "/models/numbers/releases/2")).json()
    assert {each["role"]: each["sha256"] for each in shown["attached"]} == {
        "annotations": frozen["manifest"]["annotations"]["sha256"], "data": frozen["dataset"],
        "model": shown["digests"]["model file"],
    }  # fmt: skip
    assert (await learned.ask("auditor", "GET", "/models/numbers/releases/3")).status_code == 404


async def test_a_reviewer_and_an_auditor_freeze_and_evaluate_nothing(learned: Api) -> None:
    """Both are an operator's; what does not exist is 404, and an odd dataset or kind is 400."""
    for who in ("reviewer", "auditor"):
        assert (await learned.ask(who, "POST", "/models/numbers/datasets", json={})).status_code == 403
        body = {"dataset": "0" * 64}
        assert (await learned.ask(who, "POST", "/releases/numbers@1/evaluations", json=body)).status_code == 403
    for path in ("/datasets/00", f"/evaluations/{NIL}", "/releases/numbers@9/evaluations", "/models/none/datasets"):
        assert (await learned.ask("auditor", "GET", path)).status_code == 404
    odd = {"kinds": ["dream"]}
    assert (await learned.ask("operator", "POST", "/models/numbers/datasets", json=odd)).status_code == 400
