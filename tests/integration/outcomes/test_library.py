"""The library of corrections on both databases: who sees what, every filter, search, pages, and the three exports."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pyarrow.parquet as pq
import pytest
from litestar import Litestar, Request
from litestar.di import Provide

from gateway.access.roles import Role
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.corrections import CorrectionsController
from review.api.problems import EXCEPTION_HANDLERS
from review.desk.undo import undo
from review.library.export import COLUMNS
from tests.integration.outcomes.scene import Scene, truth

Json = dict[str, Any]
ROUTE = "/api/v1/corrections"
MARK = "'"


@pytest.fixture
async def client(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the library; the headers say who asks, and with which role."""

    def actor(request: Request[Any, Any, Any]) -> Actor:
        name, role = request.headers["x-person"], request.headers["x-role"]
        if name == "key":
            return Actor(kind="key", id=UUID(int=1), name="ci", tenant_id=scene.world.tenant_id)
        return msgspec.structs.replace(scene.desk.person(name), roles=frozenset({(role, None)}))

    def credentials(request: Request[Any, Any, Any]) -> Credentials:
        return Credentials(scopes=frozenset({request.headers["x-role"]}))

    app = Litestar(
        route_handlers=[CorrectionsController],
        dependencies={
            "ledger": Provide(lambda: scene.ledger, sync_to_thread=False),
            "objects": Provide(lambda: scene.objects, sync_to_thread=False),
            "actor": Provide(actor, sync_to_thread=False),
            "credentials": Provide(credentials, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        logging_config=None,
    )
    headers = {"x-person": "lena", "x-role": "lead"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers=headers) as opened:
        yield opened


async def _found(client: httpx.AsyncClient, **filters: str) -> list[Json]:
    answer = await client.get(ROUTE, params=filters)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["corrections"]
    return found


async def _furnished(scene: Scene) -> dict[str, UUID]:
    """Three judged predictions, and an automated one of which two sources learned something."""
    made = {
        "corrected": await scene.judged("positive", text="not bad at all"),
        "approved": await scene.judged("negative", text="=awful();"),
        "unanswerable": await scene.judged(None, text="Äpfel und Birnen"),
    }
    (made["learned"],) = await scene.answered("it arrived broken", request_id="order-7")
    await scene.learn(truth(made["learned"], "neutral"), truth(made["learned"], "negative", "court"))
    return made


async def test_a_row_tells_everything(scene: Scene, client: httpx.AsyncClient) -> None:
    """Input, the model's answer with its confidence, what people said, who, when and why; newest first."""
    made = await _furnished(scene)
    found = await _found(client)
    assert [one["prediction_id"] for one in found] == [
        str(made[name]) for name in ("learned", "learned", "unanswerable", "approved", "corrected")
    ]
    corrected = found[-1]
    assert (corrected["model_answer"], corrected["answer"], corrected["differs"]) == ("negative", "positive", True)
    assert (corrected["release"], corrected["kind"], corrected["queue"]) == ("sentiment@1", "hold", "default")
    assert corrected["confidence"] == pytest.approx(0.41)
    assert [one["text"] for one in corrected["shown"]] == ["not bad at all"]
    (said,) = corrected["said"]
    assert (said["person"], said["kind"], bool(said["reason_code"])) == ("Ada", "correct", True)
    court, lab = found[:2]
    assert (court["is_truth"], lab["is_truth"], lab["kind"]) == (True, False, None)
    assert (lab["model_answer"], lab["shown"][0]["text"], lab["request_id"]) == (
        "negative",
        "it arrived broken",
        "order-7",
    )
    assert lab["confidence"] == pytest.approx(0.41)


FILTERS = [
    ({"model": "sentiment"}, 5),
    ({"model": "other"}, 0),
    ({"release": "sentiment@1"}, 5),
    ({"release": "1", "model": "sentiment"}, 5),
    ({"release": "sentiment@2"}, 0),
    ({"kind": "hold"}, 3),
    ({"kind": "audit"}, 0),
    ({"source": "people"}, 3),
    ({"source": "truth"}, 2),
    ({"source": "truth:court"}, 1),
    ({"differs": "yes"}, 3),
    ({"differs": "no"}, 2),
    ({"answer": "positive"}, 1),
    ({"answer": "negative"}, 2),
    ({"model_answer": "negative"}, 5),
    ({"model_answer": "positive"}, 0),
    ({"reason": "no_such_reason"}, 0),
    ({"reviewer": "ada@example.org"}, 3),
    ({"reviewer": "ben@example.org"}, 0),
    ({"since": "2001-01-01"}, 5),
    ({"until": "2001-01-01T00:00:00+01:00"}, 0),
    ({"q": "NOT BAD"}, 1),
    ({"q": "äpfel"}, 1),
    ({"q": "arrived", "source": "truth:lab"}, 1),
    ({"q": "nowhere at all"}, 0),
    ({"kind": "", "q": " "}, 5),
]


async def test_every_filter_narrows(scene: Scene, client: httpx.AsyncClient) -> None:
    """Each filter alone, and together; a whole id finds its prediction; an empty field asks for nothing."""
    made = await _furnished(scene)
    for filters, count in FILTERS:
        assert len(await _found(client, **filters)) == count, filters
    assert len(await _found(client, q=str(made["learned"]))) == 2
    assert len(await _found(client, q=str(made["corrected"])[-12:])) == 1
    reason = (await _found(client, answer="positive"))[0]["said"][0]["reason_code"]
    assert len(await _found(client, reason=reason, answer="positive")) == 1


@pytest.mark.parametrize(
    "filters",
    [
        {"kind": "what"}, {"differs": "maybe"}, {"source": "nobody"}, {"since": "yesterday"}, {"release": "x@y"},
        {"release": "7"}, {"release": "a@1", "model": "b"}, {"q": "x" * 201}, {"answer": "\x00"}, {"after": "1.2.3"},
        {"after": "99999999999999999999.00000000-0000-7000-8000-000000000000.1.1"}, {"limit": "0"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_wrong_filter_is_a_sentence(client: httpx.AsyncClient, filters: dict[str, str]) -> None:
    """It is refused with 400 and says what to use, and never answered with everything."""
    refused = await client.get(ROUTE, params=filters)
    assert (refused.status_code, bool(refused.json()["detail"])) == (400, True), refused.text


async def test_pages_meet_every_correction_once(scene: Scene, client: httpx.AsyncClient) -> None:
    """Following `next` meets each one once, also while new ones come."""
    await _furnished(scene)
    seen: list[tuple[str, int]] = []
    after = ""
    while True:
        page = (await client.get(ROUTE, params={"limit": "2", "after": after})).json()
        seen += [(one["prediction_id"], one["revision"]) for one in page["corrections"]]
        await scene.judged("neutral", text=f"new {len(seen)}")
        if page["next"] is None:
            break
        after = page["next"]
    assert (len(seen), len(set(seen))) == (5, 5)


async def test_what_was_undone_is_no_correction(scene: Scene, client: httpx.AsyncClient) -> None:
    """An outcome that was taken back leaves the library."""
    prediction_id = await scene.judged("positive")
    async with scene.ledger.writing() as w:
        await undo(w, scene.desk.person("ada"), (await scene.desk.cases(prediction_id))[0].id, "slipped")
    assert await _found(client) == []


async def test_a_reviewer_sees_her_queues_and_no_names(scene: Scene, client: httpx.AsyncClient) -> None:
    """She sees what came of her queues' cases, her own name alone, and no ground truth; others see everything."""
    await _furnished(scene)
    for name, own in (("ada", "Ada"), ("ben", None)):
        client.headers.update({"x-person": name, "x-role": "reviewer"})
        found = await _found(client)
        assert len(found) == 3
        assert {said["person"] for one in found for said in one["said"]} == {own}
    roles: tuple[Role, ...] = ("lead", "operator", "auditor", "admin")
    for role in roles:
        client.headers.update({"x-person": "ben", "x-role": role})
        assert len(await _found(client)) == 5, role
    for scope, count in (("audit", 5), ("operate", 5), ("review", 0)):
        client.headers.update({"x-person": "key", "x-role": scope})
        assert len(await _found(client)) == count, scope


async def _file(client: httpx.AsyncClient, format_: str, **filters: str) -> bytes:
    answer = await client.get(f"{ROUTE}/export", params={"format": format_, **filters})
    assert answer.status_code == 200, answer.text
    assert f'filename="corrections.{format_}"' in answer.headers["content-disposition"]
    return answer.content


def _from_csv(data: bytes) -> list[Json]:
    read: dict[str, Any] = {"text": lambda text: text.removeprefix(MARK), "integer": int, "real": float}
    read["flag"] = lambda text: text == "true"
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    kinds = {column.name: column.kind for column in COLUMNS}
    return [{name: read[kinds[name]](cell) if cell else None for name, cell in row.items()} for row in rows]


async def test_the_three_formats_say_the_same(scene: Scene, client: httpx.AsyncClient) -> None:
    """Read back, Parquet, CSV and JSON Lines are equal: same columns, same order, same values; filters hold."""
    await _furnished(scene)
    table = pq.read_table(io.BytesIO(await _file(client, "parquet")))
    lines = [msgspec.json.decode(line) for line in (await _file(client, "jsonl")).splitlines()]
    cells = _from_csv(await _file(client, "csv"))
    assert table.to_pylist() == lines == cells
    assert len(lines) == 5
    assert {field.name: str(field.type) for field in table.schema} == {one.name: one.dtype for one in COLUMNS}
    assert lines[-1]["reviewers"] == "Ada"
    assert len((await _file(client, "csv", source="truth")).splitlines()) == 3
    assert len((await _file(client, "csv", source="truth:nobody")).splitlines()) == 1
    assert pq.read_table(io.BytesIO(await _file(client, "parquet", model="other"))).num_rows == 0


async def test_a_csv_holds_no_formula(scene: Scene, client: httpx.AsyncClient) -> None:
    """A text that a spreadsheet would run stands behind an apostrophe."""
    await _furnished(scene)
    (row,) = csv.DictReader(io.StringIO((await _file(client, "csv", q="=awful")).decode(), newline=""))
    assert row["shown"] == "'=awful();"
