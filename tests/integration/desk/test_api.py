"""The desk over HTTP: the controllers on a real ledger, with people named by a header instead of a session."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar, Request
from litestar.di import Provide

from review.actors import Actor
from review.api.cases import CasesController, ClaimsController, VerdictsController
from review.api.problems import EXCEPTION_HANDLERS
from review.api.queues import QueuesController
from tests.integration.desk.conftest import Desk
from tests.worlds import hold


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the desk's routes; the header `x-person` says who asks."""

    def actor(request: Request[Any, Any, Any]) -> Actor:
        return desk.actor(request.headers["x-person"])

    app = Litestar(
        route_handlers=[ClaimsController, CasesController, VerdictsController, QueuesController],
        dependencies={
            "ledger": Provide(lambda: desk.ledger, sync_to_thread=False),
            "actor": Provide(actor, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        logging_config=None,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers={"x-person": "ada"}) as opened:
        yield opened


async def _hold(desk: Desk, **more: Any) -> UUID:
    async with desk.ledger.writing() as w:
        return (await hold(w, desk.world, **more)).cases[0]


async def test_a_case_goes_from_the_line_to_its_outcome_over_http(desk: Desk, client: httpx.AsyncClient) -> None:
    """Claim, look, judge, look again, undo: each answers with what its program needs next."""
    case_id = await _hold(desk)
    (claim,) = (await client.post("/api/v1/claims", json={"count": 3})).json()
    assert claim["case_id"] == str(case_id)
    card = (await client.get(f"/api/v1/cases/{case_id}")).json()
    assert (card["case"]["release"], card["answer"], card["claim"]["id"]) == ("sentiment@1", "negative", claim["id"])
    assert card["why"] == "Confidence 0.41, held below 0.60."
    body = {"kind": "correct", "answer": "positive", "token": claim["token"], "post_key": "k1"}
    judged = await client.post(f"/api/v1/claims/{claim['id']}/verdict", json=body)
    assert judged.json()["state"] == "settled"
    assert (await client.get("/api/v1/verdicts")).json()[0]["answer"] == "positive"
    assert (await client.get(f"/api/v1/cases/{case_id}")).json()["outcomes"][0]["answer"] == "positive"
    undone = await client.post(f"/api/v1/cases/{case_id}/undo", json={"reason": "wrong key"})
    assert (undone.json()["state"], undone.json()["round"]) == ("open", 2)


async def test_a_late_verdict_is_409_and_waits_as_a_draft(desk: Desk, client: httpx.AsyncClient) -> None:
    """A verdict whose lease ran out is not counted; its author finds it again as a draft."""
    case_id = await _hold(desk)
    (claim,) = (await client.post("/api/v1/claims", json={})).json()
    desk.clock.pass_s(121)
    body = {"kind": "correct", "answer": "neutral", "token": claim["token"], "post_key": "k1"}
    late = await client.post(f"/api/v1/claims/{claim['id']}/verdict", json=body)
    assert (late.status_code, late.json()["code"]) == (409, "claim-lost")
    draft = (await client.get(f"/api/v1/cases/{case_id}/draft")).json()
    assert (draft["draft"]["answer"], draft["why"]) == ("neutral", "claim_lost")


async def test_lists_are_paged_and_filtered(desk: Desk, client: httpx.AsyncClient) -> None:
    """Following `next` meets every case once, in the order of the line."""
    for _ in range(5):
        await _hold(desk)
    audit = await _hold(desk, kind="audit")
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await client.get("/api/v1/cases", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [case["id"] for case in page["cases"]]
        after = page["next"]
        if after is None:
            break
    assert (len(seen), len(set(seen)), seen[-1]) == (6, 6, str(audit))
    audits = (await client.get("/api/v1/cases", params={"kind": "audit", "state": "open"})).json()
    assert [case["id"] for case in audits["cases"]] == [str(audit)]


async def test_only_a_lead_shapes_a_queue(desk: Desk, client: httpx.AsyncClient) -> None:
    """A reviewer is refused; a lead's rules are a new revision, and wrong ones are refused in a sentence."""
    rules = {"agreement": "majority", "k": 3, "required": 2}
    refused = await client.post("/api/v1/queues/default/revisions", json={"rules": rules})
    assert (refused.status_code, refused.json()["code"]) == (403, "role-needed")
    lead = {"x-person": "lena"}
    made = await client.post("/api/v1/queues/default/revisions", json={"rules": rules, "why": "care"}, headers=lead)
    assert (made.status_code, made.json()["revision"]) == (201, 2)
    wrong = {"rules": {"agreement": "majority", "k": 4, "required": 2}}
    told = await client.post("/api/v1/queues/default/revisions", json=wrong, headers=lead)
    assert (told.status_code, "more than half" in told.json()["detail"]) == (400, True)
    ben = desk.world.people["ben"]
    assert (await client.delete(f"/api/v1/queues/default/members/{ben}", headers=lead)).status_code == 204
    view = (await client.get("/api/v1/queues/default")).json()
    assert (view["queue"]["latest"]["rules"]["k"], len(view["members"])) == (3, 3)
