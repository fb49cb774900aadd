"""Truth that arrives later, through a real server: told, shown, recorded once, and hostile requests refused."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import httpx
import pyarrow.parquet as pq
import pytest

from tests.acceptance.cards import answers, request, sure
from tests.acceptance.scene import Caller, Json, Scene
from tests.servers.process import until

ROUTE = "/v2/models/learned/outcomes"


@pytest.fixture(scope="module")
def learned(scene: Scene) -> str:
    """The key of a service that learns what was right, of a model that answers by itself."""
    scene.found("learned")
    scene.switch("learned", on=True)
    scene.until_automated("learned")
    key = scene.make_key("laboratory", "predict:learned", "truth:learned")
    with scene.server.client(key) as client:  # a gateway follows within a second
        probe = {"outcomes": [{"request_id": "nobody's", "answer": "low", "source": "lab"}]}
        until(lambda: client.post(ROUTE, json=probe, headers={"Idempotency-Key": "probe"}).is_success, "the key")
    return key


async def _ask(caller: Caller, **more: object) -> str:
    told = (await caller.ask("learned", request(sure(), **more))).json()
    assert answers(told) == ["high"]
    prediction_id: str = told["parameters"]["prediction_id"]
    return prediction_id


def _entry(prediction_id: str, answer: object = "low", **more: object) -> Json:
    return {"prediction_id": prediction_id, "answer": answer, "source": "lab", **more}


def _events(scene: Scene, prediction_id: str) -> list[str]:
    """The types of the events about a prediction, read from the ledger itself."""
    with closing(sqlite3.connect(f"file:{scene.server.folder}/data/ledger.db?mode=ro", uri=True)) as ledger:
        rows = ledger.execute(
            "SELECT type FROM event WHERE subject = ? ORDER BY occurred_us, id", (f"prediction:{prediction_id}",)
        )
        return [str(type_) for (type_,) in rows]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def _post(caller: Caller, key: str, *entries: Json) -> httpx.Response:
    return await caller.client.post(ROUTE, json={"outcomes": entries}, headers={"Idempotency-Key": key})


async def test_an_automated_answer_is_corrected_by_what_was_learned(scene: Scene, learned: str) -> None:
    """The URL tells the truth; sent again with the same key it changes nothing, and another body is refused."""
    async with scene.calling(learned) as caller:
        prediction_id = await _ask(caller)
        first = await _post(caller, "once", _entry(prediction_id))
        assert first.status_code == 200, first.text
        (receipt,) = first.json()["outcomes"]
        assert (receipt["result"], receipt["outcome_revision"], receipt["truth"]) == ("recorded", 1, True)
        told = await caller.truth(prediction_id)
        assert (told.status_code, answers(told.json())) == (200, ["low"])
        assert told.json()["parameters"]["review_status"] == "corrected"
        assert (await _post(caller, "once", _entry(prediction_id))).content == first.content
        reused = await _post(caller, "once", _entry(prediction_id, "middle"))
        assert (reused.status_code, reused.json()["type"]) == (422, "/docs/errors#idempotency-key-reused")
    story = scene.admin.get(f"/api/v1/predictions/{prediction_id}").json()["story"]
    assert [outcome["source"] for outcome in story["items"][0]["outcomes"]] == ["truth:lab"]
    assert _events(scene, prediction_id) == ["outcome.recorded", "prediction.revised"]
    (found,) = scene.server.json("corrections", "list", "--search", prediction_id)["corrections"]
    assert (found["model_answer"], found["answer"], found["is_truth"]) == ("high", "low", True)


async def test_the_command_lists_and_exports(scene: Scene, learned: str, tmp_path: Path) -> None:
    """The list names both answers and the source; each format lands whole under the name that was asked for."""
    async with scene.calling(learned) as caller:
        prediction_id = await _ask(caller)
        await _post(caller, "listed", _entry(prediction_id, source="archive"))
    listed = scene.server.run("corrections", "list", "--source", "truth:archive", "--differs").stdout
    assert all(word in listed for word in ("high", "low", "truth:archive", prediction_id))
    for format_ in ("parquet", "csv", "jsonl"):
        filters = ("--source", "truth:archive", "--since", "1h")
        scene.server.run("corrections", "export", "--format", format_, "-o", tmp_path / f"out.{format_}", *filters)
    assert pq.read_table(tmp_path / "out.parquet")["prediction_id"].to_pylist() == [prediction_id]
    assert all(prediction_id in (tmp_path / f"out.{format_}").read_text() for format_ in ("csv", "jsonl"))
    assert _names(tmp_path) == ["out.csv", "out.jsonl", "out.parquet"]


async def test_a_prediction_is_named_by_its_callers_id(scene: Scene, learned: str) -> None:
    """The `id` that the caller sent with its own request finds the prediction, though only the log has it."""
    async with scene.calling(learned) as caller:
        prediction_id = await _ask(caller, id="order-4711")
        answer = await _post(caller, "by-id", {"request_id": "order-4711", "answer": "low", "source": "lab"})
        (receipt,) = answer.json()["outcomes"]
        assert (receipt["result"], receipt["prediction_id"]) == ("recorded", prediction_id)


async def test_what_people_said_is_put_before_them_again(scene: Scene, learned: str) -> None:
    """A truth that contradicts a reviewer becomes a case of kind `report`, whose evidence shows both."""
    async with scene.calling(learned) as caller, scene.reviewing() as reviewer:
        prediction_id = await _ask(caller)
        await caller.client.post(f"/v2/predictions/{prediction_id}/report", json={"reason": "it was middle"})
        case = await reviewer.next_case(prediction=prediction_id, kind="report")
        await reviewer.judge(case["id"], "correct", "middle")
        (receipt,) = (await _post(caller, "conflict", _entry(prediction_id))).json()["outcomes"]
        assert (receipt["result"], receipt["case_id"], receipt["truth"]) == ("conflict", case["id"], True)
        assert answers((await caller.truth(prediction_id)).json()) == ["low"]


async def test_a_key_needs_the_scope_of_the_model(scene: Scene, learned: str) -> None:
    """Without `truth:MODEL` 403 names the scope, of another model too; without a key 401."""
    async with scene.calling() as caller:
        refused = await _post(caller, "mine", _entry(str(UUID(int=0))))
        assert (refused.status_code, "truth:learned" in refused.json()["error"]) == (403, True)
        assert refused.headers["content-type"] == "application/json"
    async with scene.calling(learned) as caller:
        other = await caller.client.post(ROUTE.replace("learned", "grades"), json={"outcomes": [_entry("1" * 32)]})
        assert (other.status_code, "truth:grades" in other.json()["error"]) == (403, True)
    async with scene.calling("") as caller:
        assert (await _post(caller, "mine", _entry(str(UUID(int=0))))).status_code == 401


HOSTILE = {
    "no JSON": b"{",
    "no entry": b'{"outcomes":[]}',
    "a list": b"[]",
    "another field": b'{"outcomes":[{"prediction_id":"%s","answer":"low","source":"lab","x":1}]}' % (b"0" * 32),
    "a source with capitals": b'{"outcomes":[{"prediction_id":"%s","answer":"low","source":"Lab"}]}' % (b"0" * 32),
    "a source with a line": b'{"outcomes":[{"prediction_id":"%s","answer":"low","source":"lab\\n"}]}' % (b"0" * 32),
    "item 0": b'{"outcomes":[{"prediction_id":"%s","item":0,"answer":"low","source":"lab"}]}' % (b"0" * 32),
    "a huge item": b'{"outcomes":[{"request_id":"a","item":99999999999999999999,"answer":"a","source":"b"}]}',
    "no prediction": b'{"outcomes":[{"answer":"low","source":"lab"}]}',
    "two names": b'{"outcomes":[{"prediction_id":"%s","request_id":"a","answer":"low","source":"lab"}]}' % (b"0" * 32),
    "a zero byte": b'{"outcomes":[{"request_id":"a\\u0000","answer":"low","source":"lab"}]}',
    "no answer": b'{"outcomes":[{"prediction_id":"%s","answer":null,"source":"lab"}]}' % (b"0" * 32),
    "an endless number": b'{"outcomes":[{"prediction_id":"%s","answer":1e999,"source":"lab"}]}' % (b"0" * 32),
    "a deep answer": b'{"outcomes":[{"prediction_id":"%s","answer":%s,"source":"lab"}]}' % (b"0" * 32, b"[" * 50_000),
    "too many": b'{"outcomes":[%s]}' % b",".join([b'{"request_id":"a","answer":"low","source":"lab"}'] * 101),
    "too long": b'{"outcomes":"%s"}' % (b"x" * (1 << 20)),
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_body_is_a_clear_400(scene: Scene, learned: str, body: bytes) -> None:
    """It is refused in the stock style with a sentence, and its key stays unused."""
    headers = {"Idempotency-Key": "hostile", "Content-Type": "application/json"}
    async with scene.calling(learned) as caller:
        refused = await caller.client.post(ROUTE, content=body, headers=headers)
    assert refused.status_code == 400, refused.text
    assert (refused.headers["content-type"], bool(refused.json()["error"])) == ("application/json", True)


async def test_a_key_is_needed_to_send_it_again(scene: Scene, learned: str) -> None:
    """Without an Idempotency-Key nothing is recorded, and the text says what to add."""
    async with scene.calling(learned) as caller:
        refused = await caller.client.post(ROUTE, json={"outcomes": [_entry(str(UUID(int=0)))]})
    assert (refused.status_code, "Idempotency-Key" in refused.json()["error"]) == (400, True)


async def test_the_document_describes_the_route(scene: Scene) -> None:
    """OpenAPI tells body, receipts and each refusal."""
    async with scene.calling() as caller:
        paths = (await caller.client.get("/v2/openapi/openapi.json")).json()["paths"]
    operation = paths["/v2/models/{model}/outcomes"]["post"]
    assert {"200", "400", "403", "404", "409", "422", "503"} <= operation["responses"].keys()
    assert "requestBody" in operation
