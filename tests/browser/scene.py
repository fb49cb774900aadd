"""The console as a real server on a real ledger, in a thread of its own, with a believable world that tests change.

Coroutines of the product run on the server's loop: `scene.run(…)` waits for their result.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import uvicorn
from sqlalchemy import insert, select, update

from flags.definitions import with_model_flags
from flags.embedded import EmbeddedFlags
from flags.store import Authorship
from gateway.access.passwords import hash_password
from gateway.holding.payload import MEDIA_TYPE, InputPayload, encode
from gateway.labels import LabelSchema
from gateway.record.payloads import LocalObjects
from gateway.registry.card import AnswerOutput, Card, parse_card
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger
from gateway.store.schema.predictions import DeliveryRow, PayloadRow, PredictionRow
from gateway.store.schema.who import PersonRow
from gateway.store.schema.work import CaseRow, ClaimRow, VerdictRow
from gateway.times import now_us
from review.api.app import create_app
from review.api.parts import ApiSettings, Parts
from review.api.timeline import TimelineController
from review.console.handlers import CONSOLE
from review.people.sessions import Attempts, open_session
from tests.worlds import CARD, Held, Rules, World, add_person, add_release, add_revision, build_world, hold

T = TypeVar("T")
DEMO = Path(__file__).parents[2] / "demo" / "models"
SCAN = (
    0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12, 0, 0, 8, 8, 0,
    0, 5, 8, 0, 0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0, 0, 0, 0, 6, 13, 10, 0, 0, 0,
)  # fmt: skip
APPLICATION = (
    "70 thousand dollars a year", "128 thousand dollars", "0.85", "24 %", "38 %", "35 thousand dollars", "3.2 %",
    "yes", "no late payments", "60 days past due", "no", "no", "no", "no",
)  # fmt: skip
OTHERS = (("olga", "operator"), ("adam", "admin"))


def demo_card(name: str) -> Card:
    """The card of one of the demo's models."""
    return parse_card((DEMO / name / "model.toml").read_text())


class Scene:
    """A running console and the world behind it."""

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop, ledger: Ledger, objects: LocalObjects) -> None:
        self.url = url
        self.ledger = ledger
        self.objects = objects
        self._loop = loop
        self.world: World = self.run(self._build())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that ran on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _build(self) -> World:
        async with self.ledger.writing() as w:
            world = await build_world(w, now_us=now_us(), reviewers=("ada", "ben"), card=demo_card("sentiment"))
            more = {name: await add_person(w, world.tenant_id, name, role) for name, role in OTHERS}
        await self._flags(world, "sentiment")
        return msgspec.structs.replace(world, people=world.people | more)

    async def _flags(self, world: World, model: str) -> None:
        flags = EmbeddedFlags(LedgerFlagStore(self.ledger, world.tenant_id))
        author = Authorship(by="person:olga@example.org", why="The model was added.", at_us=now_us())
        await flags.change(lambda state: with_model_flags(state, model), (f"{model}.automated",), author)

    def demo_model(self, name: str) -> World:
        """A model of the demo with its own card, whose cases come to the same queue."""
        return self.run(self._model(name, demo_card(name)))

    async def _model(self, name: str, card: Card) -> World:
        async with self.ledger.writing() as w:
            ids = await add_release(w, self.world.tenant_id, name, card, now_us=now_us())
        await self._flags(self.world, name)
        model_id, version_id, release_id = ids
        return msgspec.structs.replace(self.world, model_id=model_id, version_id=version_id, release_id=release_id)

    def cookie(self, name: str) -> dict[str, Any]:
        """The cookie of a fresh session of somebody."""
        return {"name": "lockgate_session", "value": self.run(self._session(name)), "url": self.url}

    async def _session(self, name: str) -> str:
        async with self.ledger.writing() as w:
            return (await open_session(w, self.world.people[name], 3600.0)).cookie

    def hold(self, text: str, **more: Any) -> Held:
        """A held sentence of the first model, with its payload."""
        return self.hold_text(text, self.world, **more)

    def hold_text(self, text: str, world: World, **more: Any) -> Held:
        """A held sentence under the rules of this world."""
        return self.hold_input(world, InputPayload(inputs={"text": np.array([[text]], dtype=object)}), **more)

    def hold_digit(self, top_row: Sequence[float], answer: str = "9") -> Held:
        """A held picture of 8 × 8 grey values from 0 to 16; all rows but the first are those of a real scan."""
        pixels = np.array([[*top_row, *SCAN]], dtype=np.float32)
        return self.hold_input(self.demo_model("digits"), InputPayload(inputs={"pixels": pixels}), answer=answer)

    def hold_temperature(self, answer: float) -> Held:
        """A held number of a model that answers in degrees."""
        labels = LabelSchema(kind="number", unit="°C", minimum=-50, maximum=60, tolerance=0.5)
        card = msgspec.structs.replace(CARD, labels=labels, answer=AnswerOutput(output="celsius"))
        payload = InputPayload(inputs={"text": np.array([["a mild day in May"]], dtype=object)})
        return self.hold_input(self.run(self._model("weather", card)), payload, answer=answer)

    def hold_application(self) -> Held:
        """A held mortgage application, shown by the words that were sent beside its tensors."""
        payload = InputPayload(inputs={}, beside={"application": np.array([APPLICATION], dtype=object)})
        return self.hold_input(self.demo_model("loans"), payload, answer="approve")

    def hold_input(self, world: World, payload: InputPayload, **more: Any) -> Held:
        """A held prediction with this input."""
        return self.run(self._hold(world, payload, more))

    async def _hold(self, world: World, payload: InputPayload, more: dict[str, Any]) -> Held:
        kept = await self.objects.put(encode(payload))
        async with self.ledger.writing() as w:
            held = await hold(w, world, now_us=now_us(), **more)
            row = select(PredictionRow.input_payload_id).where(PredictionRow.id == held.prediction_id)
            changed = {"sha256": kept.sha256, "bytes": kept.bytes, "media_type": MEDIA_TYPE}
            await w.execute(update(PayloadRow).where(PayloadRow.id == row.scalar_subquery()).values(**changed))
        return held

    def expire_claims(self) -> None:
        """End the lease of every claim, as if its time were over."""
        self._write(update(ClaimRow).values(expires_us=now_us() - 1))

    def verdicts(self) -> list[tuple[str, str | None, str | None]]:
        """Kind, answer and rationale of every verdict, in the order in which they were given."""
        columns = (VerdictRow.kind, VerdictRow.answer, VerdictRow.rationale)
        return [tuple(row) for row in self._rows(select(*columns).order_by(VerdictRow.created_us))]  # type: ignore[misc]

    def active_seconds(self) -> list[float]:
        """The seconds at work of every verdict."""
        return [row[0] for row in self._rows(select(VerdictRow.active_s).order_by(VerdictRow.created_us))]

    def _rows(self, statement: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with self.ledger.reading() as r:
                return list(await r.execute(statement))

        return self.run(read())

    def _write(self, statement: Any) -> None:
        async def write() -> None:
            async with self.ledger.writing() as w:
                await w.execute(statement)

        self.run(write())

    def rules(self, **rules: Any) -> World:
        """The first model's world under a new revision of its queue's rules."""
        return self.run(self._rules(Rules(**rules)))

    async def _rules(self, rules: Rules) -> World:
        async with self.ledger.writing() as w:
            revision_id = await add_revision(w, self.world.queue_id, 2, rules)
        return msgspec.structs.replace(self.world, queue_revision_id=revision_id)

    def caller_leaves(self) -> None:
        """Every caller hangs up."""
        self._write(update(CaseRow).values(caller_waiting=False))

    def caller_is_told(self, held: Held, kind: str = "answer") -> None:
        """The caller of a prediction is told something now, as a gateway would."""
        self._write(
            insert(DeliveryRow).values(
                prediction_id=held.prediction_id, n=1, kind=kind, outcome_revision=1, response_digest="0" * 64,
                delivered_us=now_us(),
            )
        )  # fmt: skip

    def replay(self, name: str) -> None:
        """Make somebody a stand-in who replays recorded judgements."""
        self._write(update(PersonRow).where(PersonRow.id == self.world.people[name]).values(replayed=True))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody a password."""
        hashed = hash_password(password)
        self._write(update(PersonRow).where(PersonRow.id == self.world.people[name]).values(password_hash=hashed))


@contextlib.contextmanager
def running_console(ledger_url: str, folder: Path, port: int) -> Iterator[Scene]:
    """A console on the ledger, listening on the port."""
    loop = asyncio.new_event_loop()
    url = f"http://127.0.0.1:{port}"
    ledger, objects = Ledger.open(ledger_url), LocalObjects(folder / "objects")
    parts = Parts(settings=_settings(url, folder), ledger=ledger, objects=objects, attempts=Attempts())
    config = uvicorn.Config(
        create_app(parts, [TimelineController, CONSOLE]),
        port=port,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    server = _Server(config)
    thread = threading.Thread(target=_serve, args=(loop, server, ledger), daemon=True)
    thread.start()
    assert server.listening.wait(30)
    try:
        yield Scene(url, loop, ledger, objects)
    finally:
        server.should_exit = True
        thread.join(30)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def _serve(loop: asyncio.AbstractEventLoop, server: _Server, ledger: Ledger) -> None:
    """Serve until told to stop; all of it in this thread, for Playwright runs a loop of its own in the test's."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(server.serve())
        runner.run(ledger.close())


def _settings(url: str, folder: Path) -> ApiSettings:
    return ApiSettings(
        link_url=url,
        secure_cookies=False,
        session_s=3600.0,
        invitation_s=3600.0,
        body_max_bytes=1 << 20,
        upload_max_bytes=1 << 20,
        data_directory=folder,
        artifacts=folder / "artifacts",
        payloads_url=str(folder / "objects"),
        traffic=folder / "traffic",
        internal_key="tests",
        recipes=folder / "recipes",
    )
