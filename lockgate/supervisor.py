"""Supervises the processes of one `lockgate serve`: starts them on sockets bound beforehand, restarts what dies, and
ends them in order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from gateway import metrics
from gateway.http.internal import FOUNDED, KEY_HEADER, Founded
from gateway.inference.machine import cores
from lockgate.children import Child
from lockgate.errors import ChildFailed
from lockgate.health import ProcessHealth, SystemHealth, together
from lockgate.internal import internal_key
from lockgate.listeners import LOOPBACK, address_of, bind, reserve
from lockgate.processes.order import Kind, Order, Share
from lockgate.settings import Settings
from lockgate.tally import shared_rows
from lockgate.unadorned import unadorned

if TYPE_CHECKING:  # loaded when children are asked: they are started before it
    from lockgate.asking import Asking

KILL_AFTER_DRAIN_S = 5.0
BEGIN_S = 1.0
AHEAD_S = 5.0
"""How long gateways may take to start before the others start, too, where there is no processor to spare."""


class Sockets(msgspec.Struct, frozen=True, kw_only=True):
    """The listeners of a `lockgate serve`."""

    http: socket.socket
    metrics: socket.socket
    console: socket.socket
    grpc: socket.socket | None
    """Holds the address that the gateways share; none where nobody speaks gRPC."""


def bind_all(settings: Settings) -> Sockets:
    """Every listener, bound. Raises: PortTaken, AddressUnusable."""
    return Sockets(
        http=bind(settings.http_address, "http_address"),
        metrics=bind(settings.metrics_address, "metrics_address"),
        console=bind(LOOPBACK, "console_address"),
        grpc=reserve(settings.grpc_address, "grpc_address") if settings.grpc_address else None,
    )


class Supervisor:
    """The children of a `lockgate serve`, the gateways first."""

    def __init__(self, settings: Settings, sockets: Sockets) -> None:
        self.settings = settings
        self._tally = shared_rows(settings.gateways)
        self.children = [
            *_gateways(settings, sockets, self._tally),
            _child(settings, "console", "console", sockets),
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._draining = False
        self._asking: Asking | None = None

    def start(self) -> None:
        """Start every child and keep it alive from now on."""
        self._tasks = [asyncio.create_task(self._keep_alive(child), name=child.order.name) for child in self.children]

    async def under_way(self) -> None:
        """Return once the gateways' processes load their libraries: the supervisor loads the rest of its own then."""
        begun = [asyncio.create_task(child.begun.wait()) for child in self._gateways]
        _, late = await asyncio.wait(begun, timeout=BEGIN_S)
        for wait in late:
            wait.cancel()

    async def until_ready(self, told_to_end: asyncio.Event) -> bool:
        """True once every child is ready; False when told to end before that. Raises: ChildFailed."""
        for child in self.children:
            await self._until_ready(child, told_to_end)
        return not told_to_end.is_set()

    async def end(self) -> None:
        """End the children in order: gateways drain while the console can still settle what they wait for."""
        self._draining = True
        patience = self.settings.drain_s + KILL_AFTER_DRAIN_S
        await asyncio.gather(*(child.end(patience) for child in self._gateways))
        for child in self.children[len(self._gateways) :]:
            await child.end(patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._asking is not None:
            await self._asking.close()
        os.close(self._tally)

    async def metrics(self) -> str:
        """The numbers of every process, each sample with its process."""
        texts = await asyncio.gather(*(self._ask(child, "/metrics") for child in self.children))
        return metrics.merge([metrics.render("supervisor"), *(text for text in texts if text is not None)])

    async def health(self) -> msgspec.Struct:
        """The health of every process, dead ones included."""
        return together(await self._all_health())

    async def ready(self) -> bool:
        """Whether some gateway answers; they share one socket, so a dead one takes no request with it."""
        gateways = [one for one in await self._all_health() if one.process.startswith("gateway")]
        return not self._draining and any(one.ready for one in gateways)

    async def founded(self) -> bool:
        """Whether there is an admin, by the console, which has the ledger's libraries; True where it does not say."""
        console = self.children[-1].order
        key = {KEY_HEADER: internal_key(self.settings)}
        said = await self._asked().text(console.name, f"{console.console_url}{FOUNDED}", key)
        try:
            return said is None or msgspec.json.decode(said, type=Founded).by_admin
        except msgspec.MsgspecError:
            return True

    @property
    def _gateways(self) -> list[Child]:
        return [child for child in self.children if child.order.kind == "gateway"]

    async def _keep_alive(self, child: Child) -> None:
        """Keep a child alive; where gateways need every processor, the others start after them."""
        if child.order.kind != "gateway" and gateways_go_first(len(self._gateways), cores()):
            with suppress(TimeoutError):
                async with asyncio.timeout(AHEAD_S):
                    await asyncio.gather(*(gateway.settled.wait() for gateway in self._gateways))
        await child.keep_alive()

    async def _until_ready(self, child: Child, told_to_end: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (child.ready, child.gave_up, told_to_end)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if child.gave_up.is_set():
            raise ChildFailed(process=child.order.name, times=child.deaths_in_a_row)

    async def _all_health(self) -> list[ProcessHealth]:
        return list(await asyncio.gather(*(self._health_of(child) for child in self.children)))

    async def _health_of(self, child: Child) -> ProcessHealth:
        text = await self._ask(child, "/health")
        if text is None:
            return child.down()
        (health,) = msgspec.json.decode(text, type=SystemHealth).processes
        return msgspec.structs.replace(health, restarts=child.restarts)

    async def _ask(self, child: Child, path: str) -> str | None:
        """What a child says about itself; None while it is dead, starting or stuck."""
        if not child.ready.is_set():
            return None
        return await self._asked().text(child.order.name, f"{child.watch_url}{path}")

    def _asked(self) -> "Asking":
        """What children are asked with, made when the first one is."""
        if self._asking is None:
            with unadorned():
                from lockgate.asking import Asking
            self._asking = Asking()
        return self._asking


def gateways_go_first(gateways: int, cores: int) -> bool:
    """Whether gateways that start would share their processors with whatever starts beside them. Pure."""
    return gateways >= cores


@asynccontextmanager
async def supervising(settings: Settings, sockets: Sockets) -> AsyncIterator[Supervisor]:
    """A supervisor whose children were started; afterwards they are ended in order."""
    supervisor = Supervisor(settings, sockets)
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.end()


def _gateways(settings: Settings, sockets: Sockets, tally: int) -> Iterable[Child]:
    rows = settings.gateways
    for row in range(rows):
        share = Share(descriptor=tally, row=row, rows=rows) if rows > 1 else None
        yield _child(settings, f"gateway-{row + 1}", "gateway", sockets, share)


def _child(settings: Settings, name: str, kind: Kind, sockets: Sockets, share: Share | None = None) -> Child:
    http = sockets.http if kind == "gateway" else sockets.console
    watch = bind(LOOPBACK, "metrics_address")
    order = Order(
        kind=kind,
        name=name,
        settings=settings,
        http_descriptor=http.fileno(),
        monitor_descriptor=watch.fileno(),
        console_url=f"http://{address_of(sockets.console)}",
        grpc_address=address_of(sockets.grpc) if kind == "gateway" and sockets.grpc is not None else "",
        share=share,
        with_worker=kind == "console",
        supervisor_pid=os.getpid(),
    )
    return Child(order, (http, watch))
