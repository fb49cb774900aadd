"""What the benchmarks run against: one gateway in this process, on a real SQLite ledger, with a small text model."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select

from flags.definitions import switched
from flags.embedded import EmbeddedFlags
from flags.store import Authorship
from gateway.access.keys import MadeKey, make_key
from gateway.call import Call
from gateway.capture import Capture
from gateway.express.express import Express
from gateway.holding.holds import Holds, open_holds
from gateway.holding.idempotency import IdempotencyKeys
from gateway.ids import new_id
from gateway.inference.shadow import ShadowRunner, open_shadow
from gateway.pipeline import Pipeline
from gateway.plan import Caller
from gateway.protocol.decode import Limits
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Adding, add
from gateway.registry.follower import Follower
from gateway.store import migrate
from gateway.store.bell import DataVersionBell
from gateway.store.flags import LedgerFlagStore
from gateway.store.keys import add_key
from gateway.store.ledger import Ledger
from gateway.store.schema.who import GrantRow, PersonRow, TenantRow
from gateway.store.schema.work import QueueMemberRow, QueueRow
from gateway.times import now_us
from lockgate.processes.child import running_loop
from lockgate.processes.memory import keep_pauses_short
from review.actors import Actor
from tests.models import text_classifier
from tests.servers.lockgate import Lockgate, running_lockgate

T = TypeVar("T")
MODEL = "sentiment"
CARD = """
batch_axis = 0
guideline = "Judge the writer's feeling."
[about]
owner = "bench"
contact = "bench@example.org"
intended_use = "Measuring."
limitations = "None."
[[shown]]
input = "text"
kind = "text"
[answer]
output = "label"
confidence = "probabilities"
classes = ["negative", "neutral", "positive"]
[labels]
kind = "choice"
choices = [{ value = "negative" }, { value = "neutral" }, { value = "positive" }]
[policy]
wait_cap_s = 50.0
"""


@dataclass(frozen=True)
class ModelFile:
    """A model that is founded."""

    name: str
    file: bytes
    card: str


@dataclass(frozen=True)
class Stand:
    """The opened parts."""

    folder: Path
    ledger: Ledger
    log: TrafficLog
    follower: Follower
    holds: Holds
    pipeline: Pipeline
    caller: Caller
    reviewer: Actor
    tenant_id: UUID
    express: Express
    key: str
    """The caller's, as it is sent."""
    shadow: ShadowRunner

    def call(self, text: str) -> Call:
        """A request for one text by a caller who stays."""
        body = f'{{"inputs":[{{"name":"text","shape":[1],"datatype":"BYTES","data":["{text}"]}}]}}'
        return Call(
            caller=self.caller, model=MODEL, version=None, headers=(), body=body.encode(), left=asyncio.Event().wait
        )

    async def switch(self, *, on: bool, model: str = MODEL) -> None:
        """Switch the automated path, and follow."""
        flags = EmbeddedFlags(LedgerFlagStore(self.ledger, self.tenant_id))
        author = Authorship(by="bench", why="bench", at_us=now_us())
        flag = f"{model}.automated"
        await flags.change(lambda state: switched(state, flag, on=on), (flag,), author)
        await self.follower.refresh()


@contextlib.asynccontextmanager
async def open_stand(name: str = MODEL, file: bytes | None = None, card: str = CARD) -> AsyncIterator[Stand]:
    """A gateway with its model founded, all flags off, and one reviewer; its model is a text classifier by default."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockgate-bench-")))
        url = f"sqlite+aiosqlite:///{folder}/ledger.db"
        await migrate.upgrade(url)
        bell = DataVersionBell(folder / "ledger.db")
        ledger = Ledger.open(url, bell=bell)
        stack.push_async_callback(ledger.close)
        await bell.start()
        stack.push_async_callback(bell.close)
        key = make_key()
        tenant_id = await _found(ledger, folder, key, ModelFile(name, file or text_classifier(), card))
        reviewer = await _reviewer(ledger, tenant_id)
        objects, artifacts = LocalObjects(folder / "objects"), LocalObjects(folder / "artifacts")
        log = await stack.enter_async_context(
            open_traffic_log(LogSettings(directory=folder / "traffic", process="gateway-1"), objects)
        )
        follower = Follower(ledger, artifacts, folder / "plan", limits=Limits(), threads=1)
        await follower.start()
        stack.push_async_callback(follower.close)
        holds = await stack.enter_async_context(open_holds(ledger, objects, public_url="http://127.0.0.1"))
        capture = Capture(log, objects)
        stack.push_async_callback(capture.close)
        shadow = await stack.enter_async_context(open_shadow(log, capture, Random(7)))
        keys = IdempotencyKeys(ledger, "gateway-1")
        keep_pauses_short()  # as every process does
        yield Stand(
            folder=folder,
            ledger=ledger,
            log=log,
            follower=follower,
            holds=holds,
            pipeline=Pipeline(follower, holds, keys, capture, shadow, Random(7)),
            express=Express(follower, holds, log, shadow, Random(7), compressed_from=65_536),
            key=key.text,
            shadow=shadow,
            caller=next(iter(follower.live.plan.callers.values())),
            reviewer=reviewer,
            tenant_id=tenant_id,
        )


async def _found(ledger: Ledger, folder: Path, key: MadeKey, model: ModelFile) -> UUID:
    async with ledger.writing() as w:
        tenant_id = (await w.execute(select(TenantRow.id))).scalar_one()
        scopes = ("predict:*", "read:*")
        await add_key(w, key, tenant_id=tenant_id, name="bench", scopes=scopes, person_id=None, expires_us=None)
    file = folder / "model.onnx"
    await asyncio.to_thread(file.write_bytes, model.file)
    adding = Adding(tenant_id=tenant_id, name=model.name, file=file, card=model.card, by="bench")
    await add(ledger, LocalObjects(folder / "artifacts"), adding)
    return tenant_id


async def _reviewer(ledger: Ledger, tenant_id: UUID) -> Actor:
    person_id, now = new_id(), now_us()
    async with ledger.writing() as w:
        person = {"id": person_id, "name": "Ada", "email": "ada@example.org", "password_hash": None, "created_us": now}
        await w.execute(insert(PersonRow).values(preferences=None, replayed=False, disabled_us=None, **person))
        grant = {"person_id": person_id, "role": "reviewer", "tenant_id": tenant_id, "model_id": None}
        await w.execute(insert(GrantRow).values(id=new_id(), by="bench", created_us=now, **grant))
        queue_id = (await w.execute(select(QueueRow.id))).scalar_one()
        await w.execute(insert(QueueMemberRow).values(queue_id=queue_id, person_id=person_id, created_us=now))
    return Actor(
        kind="person",
        id=person_id,
        name="Ada",
        email="ada@example.org",
        tenant_id=tenant_id,
        roles=frozenset({("reviewer", None)}),
    )


@contextlib.contextmanager
def two_gateways() -> Iterator[tuple[Lockgate, str]]:
    """A real `lockgate serve` with two gateways whose model answers by itself, and the key of a service."""
    with tempfile.TemporaryDirectory() as name, running_lockgate(Path(name), gateways=2) as server:
        (Path(name) / "model.onnx").write_bytes(text_classifier())
        (Path(name) / "model.toml").write_text(CARD, encoding="utf-8")
        server.run("models", "add", MODEL, "model.onnx", "--card", "model.toml")
        server.run("flags", "on", f"{MODEL}.automated", "--why", "bench")
        yield server, server.json("keys", "add", "bench", "--scope", "predict:*")["key"]


def run(measuring: Coroutine[Any, Any, T]) -> T:
    """What it comes to, on the event loop that the processes run on."""
    with running_loop() as runner:
        return runner.run(measuring)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
