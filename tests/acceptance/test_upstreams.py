"""Models that run elsewhere: on a real MLServer and on another Lockgate, over either protocol, in either role."""

import asyncio
from collections.abc import Iterator

import grpc
import httpx
import numpy as np
import pytest

from tests.acceptance.cards import answers, card, doubtful, request, sure
from tests.acceptance.rpc import Inputs, Rpc, refused
from tests.acceptance.scene import Json, Scene, eventually, staged
from tests.acceptance.trial import WHY, open_trial
from tests.models import softmax
from tests.servers.mlserver import MLServer, running_mlserver
from tests.servers.process import until

CHAMPION, CANDIDATE, ROUND = "elsewhere", "tried-elsewhere", "come-home"
UPSTREAM_S = 3.0
ROWS = [[number + 0.5, 30.0, -number - 0.5, 0.0] for number in range(1, 13)]
"""Of these, always the same, three are held out; the local file says `high` of each."""


@pytest.fixture(scope="module")
def mlserver() -> Iterator[MLServer]:
    """An MLServer with the tests' model and its contrary."""
    with running_mlserver() as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, scene: Scene, mlserver: MLServer) -> Iterator[Scene]:
    """A Lockgate that may call the MLServer and the other tests' Lockgate, where a model answers whatever comes."""
    scene.add("lent", softmax(), card().replace("hold_below = 0.6\n", ""))
    scene.switch("lent", on=True)
    scene.until_automated("lent")
    key = scene.make_key("the other gate", "predict:lent")
    with scene.server.client(key) as client:
        until(lambda: client.get("/v2/models/lent/ready").is_success, "the key is known")
    others = [f"{scheme}://:{key}@127.0.0.1:{port}" for scheme, port in ways_to(scene)]
    allowed = " ".join([mlserver.grpc, mlserver.http, *others])
    with staged(tmp_path_factory.mktemp("before"), upstreams=allowed, upstream_s=UPSTREAM_S) as opened:
        yield opened


def ways_to(scene: Scene) -> tuple[tuple[str, int], tuple[str, int]]:
    """Scheme and port of both listeners of a Lockgate."""
    return ("grpc", scene.server.grpc_port), ("http", scene.server.port)


MODEST = {"margin": 0.5, "min_held_out": 3, "min_decided": 1}
"""What the gate asks of a candidate about which so little is known as here."""


def add(scene: Scene, name: str, upstream: str, data: str = "", **policy: object) -> httpx.Response:
    """Add an upstream as a model's next version, which learned from a dataset if one is named."""
    files = {"card": ("model.toml", card(**policy).encode())}
    return scene.operator.post(
        f"/api/v1/models/{name}/versions", files=files, data={"upstream": upstream, "data": data}
    )


def founded(scene: Scene, name: str, upstream: str, **policy: object) -> Json:
    """Add an upstream as a new model, and let it answer by itself."""
    added = add(scene, name, upstream, **policy)
    assert added.is_success, added.text
    scene.until_served(name)
    scene.switch(name, on=True)
    scene.until_automated(name)
    told: Json = added.json()
    return told


async def told_by(scene: Scene, model: str, release: str, answer: str) -> None:
    """Return once callers are answered so by this release."""
    async with scene.calling() as caller:

        async def look() -> bool:
            told = await caller.ask(model, request(sure()))
            return told.is_success and told.json()["parameters"]["release"] == release

        assert await eventually(look, f"{release} answers", 30)
        assert answers((await caller.ask(model, request(sure()))).json()) == [answer]


def promote(scene: Scene, model: str, release: int) -> None:
    """Promote a release although nobody has evaluated it: an upstream is not."""
    scene.server.run("promote", f"{model}@{release}", "--force", "--why", WHY)


@pytest.mark.parametrize("way", ["grpc", "http"])
async def test_an_upstream_answers_as_the_same_model_does_here(
    served: Scene, scene: Scene, mlserver: MLServer, way: str
) -> None:
    """MLServer and another Lockgate, over either protocol, give the numbers that the file gives in process."""
    port = dict(ways_to(scene))[way]
    items = [sure(), sure()]
    with served.server.client(served.caller) as client:
        for name, upstream in (
            (f"ml-{way}", f"{getattr(mlserver, way)}/softmax"),
            (f"gate-{way}", f"{way}://127.0.0.1:{port}/lent/versions/1"),
        ):
            told = founded(served, name, upstream)
            assert (told["upstream"], told["artifact"], told["founding"]) == (upstream, "", True)
            answer = client.post(f"/v2/models/{name}/infer", json=request(*items))
            assert answer.status_code == 200, answer.text
            local = scene.server.client(scene.caller)
            with local:
                wanted = local.post("/v2/models/lent/infer", json=request(*items)).json()
            assert answer.json()["outputs"][0]["data"] == pytest.approx(wanted["outputs"][0]["data"], abs=1e-6)
            assert answer.json()["parameters"]["rule"] == "automated"


@pytest.fixture(scope="module")
def champion(served: Scene, mlserver: MLServer) -> Scene:
    """The scene with a model that runs on the MLServer."""
    founded(served, CHAMPION, f"{mlserver.grpc}/softmax", wait_cap_s=50.0)
    return served


async def test_what_an_upstream_is_unsure_of_waits_for_a_person(champion: Scene) -> None:
    """Flags, thresholds, holds and corrections are ours, wherever the model runs."""
    async with champion.calling() as caller, champion.reviewing() as reviewer:
        asked = asyncio.create_task(caller.ask(CHAMPION, request(doubtful())))
        case = await reviewer.waiting_case(CHAMPION, 30)
        await reviewer.judge(case["id"], "correct", "low")
        answer = await asked
    assert (answers(answer.json()), answer.json()["parameters"]["review_status"]) == (["low"], "corrected")
    shown = champion.server.run("models", "show", CHAMPION).stdout
    assert "at grpc://127.0.0.1" in shown


async def test_what_an_upstream_answers_is_audited_and_on_record(champion: Scene, mlserver: MLServer) -> None:
    """An answer of its own is drawn like any other; its record has the input, the release and the correction."""
    founded(champion, "audited-there", f"{mlserver.http}/softmax", audit_rate=1.0)
    async with champion.calling() as caller, champion.reviewing() as reviewer:
        told = await caller.ask("audited-there", request(item := sure()))
        assert (told.status_code, answers(told.json())) == (200, ["high"])
        prediction_id = told.json()["parameters"]["prediction_id"]
        case = await reviewer.next_case(prediction=prediction_id, kind="audit", seconds=30)
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await caller.truth(prediction_id)).json()) == ["low"]
    shown = champion.operator.get(f"/api/v1/predictions/{prediction_id}").json()
    assert shown["inputs"][0]["data"] == item
    assert "audited-there@1" in str(shown["story"])


async def test_an_upstream_is_a_candidate_beside_a_local_champion(served: Scene, mlserver: MLServer) -> None:
    """Its shadow runs are compared and judged; promoted it answers, and rolled back the local file answers again."""
    dataset = await learned(served, CANDIDATE)
    served.switch(CANDIDATE, on=True)
    served.until_automated(CANDIDATE)
    added = add(served, CANDIDATE, f"{mlserver.grpc}/contrary", data=dataset)
    assert added.is_success, added.text
    open_trial(served, CANDIDATE)
    async with served.calling() as caller, served.reviewing() as reviewer:

        async def shadowed() -> str:
            told = (await caller.ask(CANDIDATE, request(sure()))).json()["parameters"]
            return str(told["prediction_id"]) if told["path"] == "shadow" else ""

        prediction_id = await eventually(shadowed, "a shadow")
        case = await reviewer.next_case(prediction=prediction_id, kind="disagreement", seconds=30)
        shown = (await reviewer.client.get(f"/api/v1/cases/{case['id']}")).json()
        assert sorted(shown["answers"]) == ["high", "low"]
        await reviewer.judge(case["id"], ("first", "second")[shown["answers"].index("low")])
    evaluated_elsewhere(served, mlserver, dataset)
    terms = served.operator.put(f"/api/v1/models/{CANDIDATE}/gate", json={"declaration": MODEST, "why": WHY})
    assert terms.is_success, terms.text
    assert "Nobody can pin" in served.server.run("gate", f"{CANDIDATE}@2").stdout
    served.server.run("promote", f"{CANDIDATE}@2", "--why", WHY)
    await told_by(served, CANDIDATE, f"{CANDIDATE}@2", "low")
    served.server.run("rollback", CANDIDATE, "--why", WHY)
    await told_by(served, CANDIDATE, f"{CANDIDATE}@1", "high")


async def learned(scene: Scene, model: str) -> str:
    """A new model of which people said that everything is `low`, frozen as a dataset."""
    scene.found(model)
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        await reviewer.settle(await caller.hold(model, request(*ROWS)), "correct", "low")
    dataset: str = scene.server.json("datasets", "freeze", model)["dataset"]
    return dataset


def evaluated_elsewhere(scene: Scene, mlserver: MLServer, dataset: str) -> None:
    """The candidate is evaluated where it runs, and its bundle replays that without asking again."""
    done = scene.server.json("evaluate", f"{CANDIDATE}@2", "--dataset", dataset[:12])
    overall = done["comparisons"][0]
    assert (done["baseline"], overall["fixes"], overall["breaks"]) == (f"{CANDIDATE}@1", 3, 0)
    assert any(f"at {mlserver.grpc}/contrary" in sentence for sentence in done["narrative"])
    file = scene.server.folder / "elsewhere.zip"
    scene.server.run("bundle", f"{CANDIDATE}@2", "--out", file)
    said = scene.server.run("bundle", "verify", file, "--replay").stdout
    assert "nothing here can prove which bytes answer there" in said
    assert f"{CANDIDATE}@2 was not asked again" in said


async def test_a_local_file_takes_over_from_an_upstream(served: Scene, mlserver: MLServer) -> None:
    """The other way round: what was served elsewhere is served in process after a promotion."""
    founded(served, ROUND, f"{mlserver.http}/contrary")
    await told_by(served, ROUND, f"{ROUND}@1", "low")
    served.add(ROUND, softmax(), card())
    promote(served, ROUND, 2)
    await told_by(served, ROUND, f"{ROUND}@2", "high")


def test_only_what_is_allowed_and_fits_is_admitted(served: Scene, mlserver: MLServer) -> None:
    """Other servers, other signatures, addresses that are none, and a file beside an upstream are refused by name."""
    refusals = {
        "http://127.0.0.1:1/softmax": "upstream-not-allowed",
        "http://169.254.169.254:80/latest": "upstream-not-allowed",
        "file:///etc/passwd": "upstream-address-wrong",
        f"{mlserver.http}/../softmax": "upstream-address-wrong",
        f"{mlserver.grpc}@127.0.0.1:1/softmax": "upstream-address-wrong",
        f"{mlserver.grpc}/nothing-like-it": "upstream-unavailable",
        "": "file-or-upstream",
    }
    found = {address: add(served, "refused", address).json()["type"].rpartition("#")[2] for address in refusals}
    assert found == refusals
    assert served.operator.get("/api/v1/models/refused").status_code == 404


async def test_an_upstream_that_fails_again_and_again_is_left_alone(champion: Scene, mlserver: MLServer) -> None:
    """Too slow it is 504, also for who is in a hurry; then 503 at once, shown on the health page, until it is back."""
    with champion.server.client(champion.caller) as client:
        mlserver.process.pause()
        try:
            hurried = client.post(f"/v2/models/{CHAMPION}/infer", json=request(sure(), parameters={"timeout": 200_000}))
            assert told_code(hurried) == (504, "upstream-too-slow")
            rpc = Rpc(f"127.0.0.1:{champion.server.grpc_port}")
            with pytest.raises(grpc.RpcError) as caught:
                rpc.call("ModelInfer", rpc.inference(CHAMPION, row(sure())), key=champion.caller, timeout=20)
            assert refused(caught.value)[:2] == ("DEADLINE_EXCEEDED", "upstream-too-slow")
            rpc.close()

            async def ask() -> tuple[int, str]:
                return told_code(await asyncio.to_thread(_infer, client))

            found = set(await asyncio.gather(*(ask() for _ in range(4))))
            assert found == {(504, "upstream-too-slow")}
            refusal = (503, "upstream-unavailable")
            until(lambda: told_code(_infer(client)) == refusal, "the upstream is left alone", 60)
            assert f"upstream {mlserver.grpc}" in down(champion)
            assert (
                f'lockgate_upstream_circuit_open{{upstream="{mlserver.grpc}"'
                in champion.admin.get(f"{champion.server.monitor_url}/metrics").text
            )
        finally:
            mlserver.process.resume()
        until(lambda: _infer(client).is_success, "the upstream answers again", 60)
        until(lambda: f"upstream {mlserver.grpc}" not in down(champion), "the health page says so")


def row(item: list[float]) -> Inputs:
    """Inputs of the model."""
    return {"x": ("FP32", np.array([item], np.float32))}


def told_code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error."""
    return answer.status_code, answer.json().get("type", "").rpartition("#")[2]


def down(scene: Scene) -> list[str]:
    """What is down, by the health page."""
    states = scene.admin.get(f"{scene.server.monitor_url}/health").json()["processes"]
    return [one["name"] for each in states for one in each["dependencies"] if one["state"] != "up"]


def _infer(client: httpx.Client) -> httpx.Response:
    return client.post(f"/v2/models/{CHAMPION}/infer", json=request(sure()))
