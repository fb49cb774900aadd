"""The gateway process: answers predictions from its plan, holds what needs a person, and follows the ledger."""

import asyncio
import importlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING

from flags.embedded import AdoptedFlags
from flags.source import EMBEDDED
from flags.unleash.server import UnleashServer
from gateway import metrics
from gateway.capture import Capture
from gateway.draws import SystemDraws
from gateway.express.express import Express
from gateway.holding.holds import Holds, open_holds
from gateway.holding.idempotency import IdempotencyKeys
from gateway.http.app import Gateway, GatewayParts
from gateway.http.entry import Bounds
from gateway.http.lookup import LoggedPredictions
from gateway.http.truths import Truths
from gateway.inference.graphs import GraphCache
from gateway.inference.shadow import open_shadow
from gateway.live import Live
from gateway.pipeline import Pipeline
from gateway.protocol.decode import Limits
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.registry.follower import Follower
from gateway.store.ledger import Ledger
from gateway.times import now_us
from lockgate.crowd import over_grpc, room_for
from lockgate.health import Dependency, FlagsHealth, ProcessHealth, SessionsHealth
from lockgate.internal import internal_key
from lockgate.processes.allowed import allowed_upstreams
from lockgate.processes.machine import machine_of
from lockgate.processes.sessions import count_sessions, memory_states, sessions_health
from lockgate.processes.shared import bell_state, ledger_state, objects_of, open_ledger
from lockgate.processes.tls import grpc_tls
from lockgate.settings import Settings

if TYPE_CHECKING:
    from gateway.grpc.server import GrpcServer
AGE_MAX_S = 1e9
"""What stands for an age without end: JSON has no infinity."""


class GatewayProcess:
    """A running gateway."""

    def __init__(
        self,
        name: str,
        app: Gateway,
        ledger: Ledger,
        follower: Follower,
        holds: Holds,
        log: TrafficLog,
        open_grpc: "Callable[[], Awaitable[GrpcServer]] | None",
    ) -> None:
        self.app = app
        self._grpc: GrpcServer | None = None
        self._open_grpc = open_grpc
        self._name = name
        self._ledger = ledger
        self._follower = follower
        self._holds = holds
        self._log = log

    async def health(self) -> ProcessHealth:
        """How the gateway is; it is ready with a loaded plan, whatever its dependencies do."""
        self._count()
        return ProcessHealth(
            process=self._name,
            ready=self.app.live.takes_requests,
            state=self._state(),
            dependencies=(
                await ledger_state(self._ledger),
                bell_state(self._ledger),
                self._disk_state(),
                *([Dependency(name="grpc", state=self._grpc.state)] if self._grpc is not None else []),
                *self._flag_server(),
                *self._unready_releases(),
                *memory_states(self._follower.live.room),
                *self._upstreams(),
            ),
            plan_revision=self._follower.live.plan.revision if self._follower.loaded else None,
            flags=flags_health(self._follower.flags),
            sessions=self._sessions(),
        )

    async def complete(self) -> None:
        """Load what answers beside predictions over HTTP, and speak gRPC where that is wanted.

        Raises: UnreadableFile, GrpcNotListening.
        """
        await self.app.complete()
        if self._open_grpc is not None:
            self._grpc = await self._open_grpc()

    async def drain(self) -> None:
        """Not ready any more; whoever waits for a person is told 503 with the prediction's URL."""
        self.app.live.draining = True
        self.app.end_streams()
        self._holds.shut_down()
        if self._grpc is not None:
            self._grpc.drain()

    def _count(self) -> None:
        count_sessions(self._sessions())
        metrics.FLAG_ANSWERS_KEPT.put(self._follower.flags.kept)
        metrics.TRAFFIC_ENTRIES.put(self._log.counts.entries)
        metrics.TRAFFIC_UNRECORDED.put(self._log.counts.unrecorded)
        for model in self._follower.live.plan.models.values():
            metrics.WAITING.put(self._holds.waiting_count(model.id), model.name)

    def _sessions(self) -> SessionsHealth:
        return sessions_health(self._follower.live.room, self._follower.threads)

    def _state(self) -> str:
        if self.app.live.draining:
            return "draining"
        return "ready" if self._follower.loaded else "waiting for a plan: the ledger is away and nothing was kept here"

    def _disk_state(self) -> Dependency:
        full = self._log.reserve.reached
        return Dependency(name="disk", state="down: the disk has come down to its reserve" if full else "up")

    def _flag_server(self) -> list[Dependency]:
        """Whether the last fetch from the Unleash server was answered, where flags are a server's."""
        health = self._follower.flags.health(now_us())
        if health.source == EMBEDDED:
            return []
        return [Dependency(name=health.source, state=f"down: {health.error}" if health.error else "up")]

    def _unready_releases(self) -> list[Dependency]:
        """The releases whose models could not be opened, and why."""
        failed = self._follower.live.failed
        return [Dependency(name=f"release {name}", state=f"down: {failed[name]}") for name in sorted(failed)]

    def _upstreams(self) -> list[Dependency]:
        """The servers on which models run elsewhere, each once, as the calls of this process found them."""
        states: dict[str, str] = {}
        for session in self._follower.upstreams:
            origin = session.upstream.origin
            states[origin] = max(states.get(origin, "up"), session.state, key=lambda state: state.startswith("down"))
        return [Dependency(name=f"upstream {origin}", state=state) for origin, state in sorted(states.items())]


def flags_health(flags: AdoptedFlags) -> FlagsHealth:
    """The flags that a gateway answers with."""
    health = flags.health(now_us())
    return FlagsHealth(
        source=health.source,
        state=health.state,
        revision=health.version,
        age_s=min(health.age_s, AGE_MAX_S),
        error=health.error,
        warning=health.warning,
    )


@asynccontextmanager
async def open_gateway(
    settings: Settings, name: str, console_url: str, grpc_address: str = ""
) -> AsyncIterator[GatewayProcess]:
    """A gateway that follows the ledger, or its local snapshot while that is away; with an address it speaks gRPC.

    Raises: UnreadableFile, GrpcNotListening.
    """
    objects = objects_of(settings)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        log = await stack.enter_async_context(open_traffic_log(_log_settings(settings, name), objects))
        flags = None if ledger.flags.embedded else await stack.enter_async_context(_fetching(settings, name, ledger))
        follower = await stack.enter_async_context(_following(settings, name, ledger, flags))
        logged = LoggedPredictions(console_url, internal_key(settings))
        stack.push_async_callback(logged.close)
        holds = await stack.enter_async_context(
            open_holds(ledger, objects, public_url=settings.link_url, automated=logged)
        )
        capture = Capture(log, objects)
        stack.push_async_callback(capture.close)
        draws = SystemDraws()
        shadow = await stack.enter_async_context(open_shadow(log, capture, draws))
        keys = IdempotencyKeys(ledger, name)
        parts = GatewayParts(
            follower=follower,
            pipeline=Pipeline(follower, holds, keys, capture, shadow, draws),
            express=Express(follower, holds, log, shadow, draws, compressed_from=settings.compress_min_bytes or inf),
            holds=holds,
            truths=Truths(logged, keys),
            live=Live(follower, version("lockgate")),
            console_url=console_url,
            bounds=Bounds(
                body_max_bytes=settings.body_max_bytes,
                body_s=settings.body_s,
                compress_min_bytes=settings.compress_min_bytes,
            ),
            api_body_max_bytes=settings.api_body_max_bytes,
        )
        app = Gateway(parts)
        stack.push_async_callback(app.close)

        async def open_grpc() -> "GrpcServer":
            return await stack.enter_async_context(_grpc(settings, parts, grpc_address))

        yield GatewayProcess(name, app, ledger, follower, holds, log, open_grpc if grpc_address else None)


@asynccontextmanager
async def _grpc(settings: Settings, parts: GatewayParts, address: str) -> AsyncIterator["GrpcServer"]:
    """The gRPC listener on the parts that the HTTP listener has; its library is loaded off the loop, where one is
    wanted."""
    await asyncio.to_thread(importlib.import_module, "gateway.grpc.server")
    from gateway.grpc.server import GrpcSettings, open_grpc

    listening = GrpcSettings(
        address=address,
        tls=grpc_tls(settings),
        body_max_bytes=settings.body_max_bytes,
        body_s=settings.body_s,
        connections_max=over_grpc(room_for(settings.connections_max)),
        drain_s=settings.drain_s,
    )
    async with open_grpc(listening, parts.pipeline, parts.live, parts.holds.ledger) as server:
        yield server


@asynccontextmanager
async def _fetching(settings: Settings, name: str, ledger: Ledger) -> AsyncIterator[AdoptedFlags]:
    """The flags of an Unleash server: the last known at once, the latest as soon as it answers."""
    from gateway.registry.fetching import fetching

    server = UnleashServer(
        url=f"{settings.flag_home.url}/api",
        token=settings.unleash_token,
        instance=f"{socket.gethostname()}/{name}",
        refresh_s=settings.unleash_refresh_s,
        usage_s=settings.unleash_usage_s,
    )
    async with fetching(server, ledger, settings.snapshots / f"{name}-flags.msgpack") as flags:
        yield flags


@asynccontextmanager
async def _following(
    settings: Settings, name: str, ledger: Ledger, flags: AdoptedFlags | None
) -> AsyncIterator[Follower]:
    follower = Follower(
        ledger,
        LocalObjects(settings.artifacts),
        settings.snapshots / f"{name}.msgpack",
        limits=Limits(body_max_bytes=settings.body_max_bytes, items_max=settings.items_max),
        threads=settings.model_threads,
        flags=flags,
        upstreams=allowed_upstreams(settings),
        machine=machine_of(settings),
        graphs=GraphCache(settings.graphs, internal_key(settings)),
    )
    await follower.start()
    task = asyncio.create_task(follower.follow(), name="follower")
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await follower.close()


def _log_settings(settings: Settings, name: str) -> LogSettings:
    return LogSettings(
        directory=settings.traffic,
        process=name,
        sync_interval_s=settings.sync_interval_s,
        reserve_bytes=settings.disk_reserve_bytes,
    )
