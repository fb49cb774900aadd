"""Two gateway processes at one address: a prediction has one truth, whichever of them a request lands on."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.cards import answers, doubtful, request, sure
from tests.acceptance.scene import Scene, calling_at, eventually, staged
from tests.servers.process import until

MODEL = "grades"
GATEWAYS = ("gateway-1", "gateway-2")


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with two gateway processes."""
    with staged(tmp_path_factory.mktemp("replicas"), gateways=2) as scene:
        yield scene


async def test_a_retry_that_lands_on_the_other_process_joins(replicas: Scene) -> None:
    """The same input is one hold; one verdict answers the callers that wait at both gateways."""
    body = request(doubtful())
    async with (
        calling_at(replicas, "gateway-1") as one,
        calling_at(replicas, "gateway-2") as two,
        replicas.reviewing() as reviewer,
    ):
        calls = [asyncio.create_task(caller.ask(MODEL, body)) for caller in (one, two)]
        held = await one_hold(replicas, body)
        await reviewer.settle(held, "correct", "low")
        told = await asyncio.gather(*calls)
        assert [answers(answer.json()) for answer in told] == [["low"], ["low"]]
        assert {answer.json()["parameters"]["prediction_id"] for answer in told} == {held}
        assert len(await reviewer.cases(prediction=held)) == 1


async def one_hold(scene: Scene, body: dict[str, object]) -> str:
    """The id of the hold that requests with this body are in."""
    async with scene.calling() as caller:
        return await caller.hold(MODEL, body)


async def test_an_idempotency_key_holds_at_both(replicas: Scene) -> None:
    """A key that was used at one gateway gives the same prediction at the other, and refuses another body there."""
    body = request(doubtful())
    async with calling_at(replicas, "gateway-1") as one, calling_at(replicas, "gateway-2") as two:
        held = await one.hold(MODEL, body, key="the-same")
        assert await two.hold(MODEL, body, key="the-same") == held
        assert (await two.ask(MODEL, request(doubtful()), key="the-same")).status_code == 422


async def test_a_verdict_at_the_deadline_ends_in_one_truth(replicas: Scene) -> None:
    """Verdicts that arrive around the end of the wait: who was told 200 was told the outcome, the others find it."""
    bodies = [request(doubtful()) for _ in range(8)]
    async with (
        calling_at(replicas, "gateway-1") as one,
        replicas.calling() as caller,
        replicas.reviewing() as reviewer,
    ):
        held = [await one.hold(MODEL, body) for body in bodies]
        claims = [await reviewer.claim((await reviewer.cases(prediction=each))[0]["id"]) for each in held]
        calls = [asyncio.create_task(caller.ask(MODEL, body, prefer="wait=1")) for body in bodies]

        async def judge(claim: dict[str, object], after_s: float) -> None:
            await asyncio.sleep(after_s)
            assert (await reviewer.post(claim, "correct", "low")).is_success

        await asyncio.gather(*(judge(claim, 0.7 + 0.08 * number) for number, claim in enumerate(claims)))
        for prediction_id, told in zip(held, await asyncio.gather(*calls), strict=True):
            now = await one.truth(prediction_id)
            assert (now.status_code, answers(now.json())) == (200, ["low"])
            assert told.status_code in (200, 503)
            if told.status_code == 200:
                assert told.json() == now.json()
            else:
                assert told.headers["Location"] == f"/v2/predictions/{prediction_id}"


async def test_a_halt_is_seen_by_both(replicas: Scene) -> None:
    """Within a second of the halt neither gateway answers by itself; within a second of its end both do."""
    replicas.found("halted")
    replicas.switch("halted", on=True)
    async with calling_at(replicas, "gateway-1") as one, calling_at(replicas, "gateway-2") as two:

        async def both(status: int) -> bool:
            told = [await caller.ask("halted", request(sure()), prefer="respond-async") for caller in (one, two)]
            return [answer.status_code for answer in told] == [status, status]

        await eventually(lambda: both(200), "automated answers")
        replicas.halt("halted", "review")
        await eventually(lambda: both(202), "the halt", 1.0)
        replicas.lift("halted")
        await eventually(lambda: both(200), "the end of the halt", 1.0)


async def test_a_revoked_key_ends_at_both(replicas: Scene) -> None:
    """A key that was revoked is refused by both gateways within a second."""
    key = replicas.make_key("short", "predict:*")
    async with calling_at(replicas, "gateway-1") as one, calling_at(replicas, "gateway-2") as two:

        async def both(status: int) -> bool:
            bearer = {"Authorization": f"Bearer {key}"}
            told = [await caller.ask("nothing", {}, **bearer) for caller in (one, two)]
            return [answer.status_code for answer in told] == [status, status]

        await eventually(lambda: both(404), "the key works", 2.0)
        listed = replicas.admin.get("/api/v1/keys").json()
        (key_id,) = [one["id"] for one in listed if one["name"] == "short"]
        assert replicas.admin.delete(f"/api/v1/keys/{key_id}").is_success
        await eventually(lambda: both(401), "the key is refused", 1.5)


async def test_disconnecting_is_not_cancelling(replicas: Scene) -> None:
    """A caller that hangs up is shown as gone; its hold stays, is judged, and is answered at its URL."""
    body = request(doubtful())
    async with replicas.reviewing() as reviewer:
        async with replicas.calling() as caller:
            call = asyncio.create_task(caller.ask(MODEL, body))
            case = await reviewer.waiting_case(MODEL)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

        async def gone() -> bool:
            (now,) = await reviewer.cases(prediction=case["prediction_id"])
            return now["state"] == "open" and not now["caller_waiting"]

        await eventually(gone, "the caller is shown as gone")
        await reviewer.judge(case["id"], "correct", "low")
        async with replicas.calling() as caller:
            assert answers((await caller.truth(case["prediction_id"])).json()) == ["low"]


async def test_a_killed_gateway_leaves_its_callers_to_the_other(replicas: Scene) -> None:
    """The caller of a gateway that is killed retries at the other one and meets its own hold there."""
    body = request(doubtful())
    async with calling_at(replicas, "gateway-1") as one, replicas.reviewing() as reviewer:
        before = replicas.server.processes()["gateway-1"]
        call = asyncio.create_task(one.ask(MODEL, body))
        held = await one_hold(replicas, body)
        replicas.server.kill_process("gateway-1")
        (broken,) = await asyncio.gather(call, return_exceptions=True)
        assert isinstance(broken, httpx.TransportError)
        async with calling_at(replicas, "gateway-2") as two:
            assert await two.hold(MODEL, body) == held
            await reviewer.settle(held, "correct", "low")
            assert answers((await two.ask(MODEL, body)).json()) == ["low"]
    until(lambda: replicas.server.processes().get("gateway-1", before) != before, "a new gateway")


async def test_told_to_end_it_tells_those_who_wait(replicas: Scene) -> None:
    """On SIGTERM waiting callers are told 503 with their URL, everything ends with status 0, and the log has it all."""
    async with replicas.calling() as caller, replicas.reviewing() as reviewer:
        before = {case["id"] for case in await reviewer.cases(model=MODEL, state="open")}
        calls = [asyncio.create_task(caller.ask(MODEL, request(doubtful()), prefer="wait=10")) for _ in range(4)]

        async def waiting() -> bool:
            return len(await reviewer.cases(model=MODEL, state="open")) == len(before) + 4

        await eventually(waiting, "four more holds")
        status = await asyncio.to_thread(replicas.server.stop)
        told = await asyncio.gather(*calls)
    assert status == 0
    assert [answer.status_code for answer in told] == [503] * 4
    assert all(answer.headers["Location"] in answer.json()["error"] for answer in told)
    replicas.server.start()
    async with replicas.calling() as caller:
        for answer in told:
            assert (await caller.truth(answer.headers["Location"].rsplit("/", 1)[-1])).status_code == 202
    counts = replicas.operator.get("/api/v1/traffic", params={"model": MODEL, "by": "path"}).json()["counts"]
    async with replicas.reviewing() as reviewer:
        held = await reviewer.cases(model=MODEL)
    assert sum(count["predictions"] for count in counts) >= len(held)
