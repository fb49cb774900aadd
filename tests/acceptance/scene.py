"""What most acceptance tests begin with: a Lockgate with a model, somebody who operates it, a reviewer and a caller.

Everything goes over HTTP, as services, people and commands do it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psutil

from tests.acceptance.cards import card, request, sure
from tests.models import softmax
from tests.servers.lockgate import TLS, Lockgate, running_lockgate
from tests.servers.process import until

Json = dict[str, Any]
Found = TypeVar("Found")
PASSING = frozenset({409, 502, 503})
"""What is worth trying again: in use at this moment, or away."""
PASSWORD = "a long pass phrase of a reviewer"


class Scene:
    """One Lockgate and the keys of those who use it."""

    def __init__(self, server: Lockgate) -> None:
        self.server = server
        self.admin = server.client()
        self.operate = self.make_key("ci", "operate")
        self.operator = server.client(self.operate)
        self.caller = self.make_key("service", "predict:*", "read:*")
        self.found("grades")
        self.reviewer = self.make_reviewer("Rita Reviewer", "rita@example.org")

    def close(self) -> None:
        """Close the connections of the admin and the operator."""
        self.admin.close()
        self.operator.close()

    def make_key(self, name: str, *scopes: str) -> str:
        """A key with these scopes, once the gateway knows it."""
        answer = _good(self.admin.post("/api/v1/keys", json={"name": name, "scopes": list(scopes)}))
        key: str = answer["key"]
        with self.server.client(key) as client:
            until(lambda: client.get(f"/v2/predictions/{UUID(int=0)}").status_code != 401, f"the key {name} is known")
        return key

    def make_person(self, name: str, email: str, *roles: str) -> tuple[str, str]:
        """The id and the key of a new person with these roles."""
        link = _good(self.admin.post("/api/v1/people/invitations", json={"roles": list(roles)}))["url"]
        who = {"name": name, "email": email, "password": PASSWORD, "key_name": "tests"}
        joined = _good(self.admin.post("/api/v1/join", json={"token": link.rsplit("/", 1)[-1], **who}))
        return joined["person"]["id"], joined["key"]["key"]

    def make_reviewer(self, name: str, email: str, queue: str = "default") -> str:
        """The key of a new reviewer, who is a lead, too, and made herself a member of the queue."""
        person_id, key = self.make_person(name, email, "reviewer", "lead")
        with self.server.client(key) as lead:
            added = lead.put(f"/api/v1/queues/{queue}/members/{person_id}")
            assert added.is_success, added.text
        return key

    def found(self, name: str, **policy: object) -> None:
        """Add the tests' model under this name, and return once every gateway serves it."""
        self.add(name, softmax(), card(**policy))

    def add(self, name: str, model: bytes, text: str) -> None:
        """Add any model with its card, and return once every gateway serves it."""
        files = {"file": ("model.onnx", model), "card": ("model.toml", text.encode())}
        _good(self.operator.post(f"/api/v1/models/{name}/versions", files=files))
        self.until_served(name)

    def until_served(self, name: str) -> None:
        """Return once the model is ready in each gateway process."""
        with self.server.client(self.make_key(f"watch-{name}", f"predict:{name}")) as client:
            until(lambda: client.get(f"/v2/models/{name}/ready").is_success, f"{name} is served")

    def until_automated(self, *models: str) -> None:
        """Return once the models answer by themselves what they are sure of."""
        with self.server.client(self.caller) as client:
            for model in models:
                until(partial(_answers, client, model), f"{model} answers")

    def switch(self, model: str, *, on: bool) -> None:
        """Switch `automated` of a model; gateways follow within a second."""
        change = {"on": on, "why": "a test"}
        _good(self.operator.put(f"/api/v1/flags/{model}.automated/switch", json=change))

    def halt(self, model: str, mode: str) -> None:
        """Halt a model."""
        _good(self.operator.put(f"/api/v1/models/{model}/halt", json={"mode": mode, "why": "a test"}))

    def lift(self, model: str) -> None:
        """End the halt of a model."""
        _good(self.operator.delete(f"/api/v1/models/{model}/halt", params={"why": "a test"}))

    @asynccontextmanager
    async def calling(self, key: str | None = None) -> AsyncIterator["Caller"]:
        """A service that sends requests."""
        async with _client(self.server, self.caller if key is None else key) as client:
            yield Caller(client)

    @asynccontextmanager
    async def reviewing(self, key: str | None = None) -> AsyncIterator["Reviewer"]:
        """A reviewer at work."""
        async with _client(self.server, key or self.reviewer) as client:
            yield Reviewer(client)


class Caller:
    """A service that asks for predictions."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def ask(self, model: str, body: Json, *, key: str = "", prefer: str = "", **headers: str) -> httpx.Response:
        """Send a request; what it is answered."""
        more = {"Prefer": prefer} if prefer else {}
        more |= {"Idempotency-Key": key} if key else {}
        return await self.client.post(f"/v2/models/{model}/infer", json=body, headers=more | headers)

    async def hold(self, model: str, body: Json, **more: str) -> str:
        """Send a request that is to be held; the prediction's id."""
        answer = await self.ask(model, body, prefer="respond-async", **more)
        assert answer.status_code == 202, answer.text
        prediction_id: str = answer.json()["parameters"]["prediction_id"]
        return prediction_id

    async def truth(self, prediction_id: str, prefer: str = "") -> httpx.Response:
        """The latest truth of a prediction."""
        headers = {"Prefer": prefer} if prefer else {}
        return await self.client.get(f"/v2/predictions/{prediction_id}", headers=headers)


class Reviewer:
    """A person who claims and judges cases."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def cases(self, **conditions: object) -> list[Json]:
        """The cases that meet the conditions."""
        given = {name: str(value) for name, value in conditions.items()}
        answer = await self.client.get("/api/v1/cases", params={"limit": "200", **given})
        assert answer.is_success, answer.text
        found: list[Json] = answer.json()["cases"]
        return found

    async def next_case(self, seconds: float = 15.0, **conditions: object) -> Json:
        """The first open case that meets the conditions, as soon as there is one."""
        return await eventually(lambda: self._first_open(**conditions), "an open case", seconds)

    async def _first_open(self, **conditions: object) -> Json | None:
        return next(iter(await self.cases(state="open", **conditions)), None)

    async def waiting_case(self, model: str, seconds: float = 15.0) -> Json:
        """The open case of a model whose caller waits, as soon as there is one."""

        async def look() -> Json | None:
            return next((case for case in await self.cases(state="open", model=model) if case["caller_waiting"]), None)

        return await eventually(look, "a case whose caller waits", seconds)

    async def claim(self, case_id: str) -> Json:
        """A claim on the case."""
        answer = await self.client.post(f"/api/v1/cases/{case_id}/claim")
        assert answer.is_success, answer.text
        claim: Json = answer.json()
        return claim

    async def post(self, claim: Json, kind: str, answer: str | None = None, post_key: str = "") -> httpx.Response:
        """Post a verdict on a claimed case."""
        said = {"kind": kind, "token": claim["token"], "post_key": post_key or f"key-{claim['id']}"}
        if answer is not None:
            said["answer"] = answer
        return await self.client.post(f"/api/v1/claims/{claim['id']}/verdict", json=said)

    async def judge(self, case_id: str, kind: str, answer: str | None = None) -> Json:
        """Claim the case and judge it; what became of it."""
        judged = await self.post(await self.claim(case_id), kind, answer)
        assert judged.is_success, judged.text
        told: Json = judged.json()
        return told

    async def settle(self, prediction_id: str, kind: str, answer: str | None = None) -> None:
        """Judge every open case of a prediction alike."""
        cases = await self.cases(prediction=prediction_id, state="open")
        assert cases, f"no case of {prediction_id} is open"
        for case in cases:
            await self.judge(case["id"], kind, answer)


async def insist(send: Callable[[], Awaitable[httpx.Response]], seconds: float = 45.0) -> httpx.Response:
    """The first answer that is no passing trouble: what a client with retries gets while processes are killed."""

    async def once() -> httpx.Response | None:
        try:
            answer = await send()
        except httpx.TransportError:
            return None
        return None if answer.status_code in PASSING else answer

    answer = await eventually(once, "an answer", seconds)
    assert answer is not None
    return answer


@contextmanager
def staged(folder: Path, **settings: object) -> Iterator[Scene]:
    """A Lockgate with the model `grades`, whose flags are off."""
    with running_lockgate(folder, **settings) as server, closing(Scene(server)) as scene:
        yield scene


@asynccontextmanager
async def calling_at(scene: Scene, gateway: str) -> AsyncIterator[Caller]:
    """A service with one connection, to this gateway: the others are paused while it is made."""
    others = [psutil.Process(pid) for name, pid in scene.server.processes().items() if name not in (gateway, "console")]
    one = httpx.Limits(max_connections=1, keepalive_expiry=60)
    headers = {"Authorization": f"Bearer {scene.caller}"}
    async with httpx.AsyncClient(
        base_url=scene.server.url, headers=headers, limits=one, timeout=70, trust_env=False, verify=TLS
    ) as client:
        for other in others:
            other.suspend()
        try:
            assert (await client.get("/v2/health/live")).is_success
        finally:
            for other in others:
                other.resume()
        yield Caller(client)


async def eventually(look: Callable[[], Awaitable[Found | None]], what: str, seconds: float = 10.0) -> Found:
    """What a look from outside finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        if time.monotonic() > deadline:
            message = f"waited {seconds:.0f} s for {what}"
            raise TimeoutError(message)
        await asyncio.sleep(0.01)
    return found


def _client(server: Lockgate, key: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=70, trust_env=False, verify=TLS)


def _answers(client: httpx.Client, model: str) -> bool:
    """Whether it answers by itself; what was held instead is withdrawn, so that no test finds a case of ours."""
    asked = client.post(f"/v2/models/{model}/infer", json=request(sure()), headers={"Prefer": "respond-async"})
    if asked.status_code == httpx.codes.ACCEPTED:
        withdrawn = client.delete(asked.headers["Location"])
        assert withdrawn.status_code == httpx.codes.NO_CONTENT, withdrawn.text
    return asked.status_code == httpx.codes.OK


def _good(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None
