"""The console as a real server on a real ledger, in a thread of its own, with a believable world that tests change.

Coroutines of the product run on the server's loop: `scene.run(…)` waits for their result.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import uvicorn
from sqlalchemy import select, update

from gateway.holding.payload import MEDIA_TYPE, InputPayload, encode
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.work import ClaimRow
from gateway.times import now_us
from review.api.app import create_app
from review.api.parts import ApiSettings, Parts
from review.console.handlers import CONSOLE
from review.people.sessions import Attempts, open_session
from tests.worlds import Held, World, add_person, build_world, hold

T = TypeVar("T")


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
            world = await build_world(w, now_us=now_us(), leads=("lena",))
            people = dict(world.people)
            for name, role in (("olga", "operator"), ("adam", "admin")):
                people[name] = await add_person(w, world.tenant_id, name, role)
        return World(**{**{f: getattr(world, f) for f in world.__struct_fields__}, "people": people})

    def cookie(self, name: str) -> dict[str, Any]:
        """The cookie of a fresh session of somebody."""
        return {"name": "lockgate_session", "value": self.run(self._session(name)), "url": self.url}

    async def _session(self, name: str) -> str:
        async with self.ledger.writing() as w:
            return (await open_session(w, self.world.people[name], 3600.0)).cookie

    def hold(self, text: str, **more: Any) -> Held:
        """A held sentence with its payload."""
        return self.run(self._hold(text, more))

    async def _hold(self, text: str, more: dict[str, Any]) -> Held:
        payload = InputPayload(inputs={"text": np.array([[text]], dtype=object)})
        kept = await self.objects.put(encode(payload))
        async with self.ledger.writing() as w:
            held = await hold(w, more.pop("world", self.world), text=text, now_us=now_us(), **more)
            row = select(PredictionRow.input_payload_id).where(PredictionRow.id == held.prediction_id)
            changed = {"sha256": kept.sha256, "bytes": kept.bytes, "media_type": MEDIA_TYPE}
            await w.execute(update(PayloadRow).where(PayloadRow.id == row.scalar_subquery()).values(**changed))
        return held

    def expire_claims(self) -> None:
        """End the lease of every claim, as if its time were over."""
        self.run(self._expire())

    async def _expire(self) -> None:
        async with self.ledger.writing() as w:
            await w.execute(update(ClaimRow).values(expires_us=now_us() - 1))

    def ask(self, question: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """What a reading function says about the ledger now."""
        return self.run(self._ask(question))

    async def _ask(self, question: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        async with self.ledger.reading() as r:
            return await question(r)


@contextlib.contextmanager
def running_console(ledger_url: str, folder: Path, port: int) -> Iterator[Scene]:
    """A console on the ledger, listening on the port."""
    loop = asyncio.new_event_loop()
    url = f"http://127.0.0.1:{port}"
    ledger, objects = Ledger.open(ledger_url), LocalObjects(folder / "objects")
    parts = Parts(settings=_settings(url, folder), ledger=ledger, objects=objects, attempts=Attempts())
    config = uvicorn.Config(
        create_app(parts, [CONSOLE]), port=port, lifespan="off", log_config=None, timeout_graceful_shutdown=1, ws="none"
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
        traffic=folder / "traffic",
    )
