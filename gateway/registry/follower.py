"""Follows the ledger: when the bell rings it reads the plan anew, opens what is new and swaps one reference.

Embedded flags are followed with it; those of a server are followed beside it (`gateway.registry.fetching`).
"""

import asyncio
from pathlib import Path

import structlog

from flags.embedded import AdoptedFlags
from flags.store import StoredState
from gateway.errors import LedgerUnavailable
from gateway.inference.cache import SessionCache
from gateway.inference.graphs import GraphCache
from gateway.inference.machine import Machine, cores
from gateway.inference.upstream_session import UpstreamSession
from gateway.inference.upstreams import AllowedUpstreams
from gateway.metrics import FLAG_AGE, PLAN_REVISION
from gateway.plan import Plan
from gateway.protocol.decode import Limits
from gateway.record.payloads import ObjectStore
from gateway.registry.live import LivePlan, Opener, releases_of
from gateway.registry.room import Room, making_way, oversubscribed
from gateway.registry.snapshot import Snapshot, read_snapshot, write_snapshot
from gateway.store.flags import current_state
from gateway.store.halts import all_halts
from gateway.store.keys import live_callers
from gateway.store.ledger import Ledger
from gateway.store.plans import latest_revision
from gateway.store.serving import all_champions, read_plan
from gateway.times import after_us, now_us

POLL_S = 0.5
"""A revoked key or a lost ring is noticed after this long at most."""

REOPEN_S = 5.0
"""How often a release is tried again whose model file could not be loaded."""

_log = structlog.get_logger()


class Follower:
    """Keeps the live plan and the flags of one process up to date."""

    def __init__(
        self,
        ledger: Ledger,
        artifacts: ObjectStore,
        snapshot: Path,
        *,
        limits: Limits,
        threads: int,
        flags: AdoptedFlags | None = None,
        upstreams: AllowedUpstreams | None = None,
        machine: Machine | None = None,
        graphs: GraphCache | None = None,
    ) -> None:
        self._ledger = ledger
        self._snapshot = snapshot
        self._cache = SessionCache(threads=threads, upstreams=upstreams, machine=machine, graphs=graphs)
        self.machine = machine or Machine()
        self.threads = threads
        """Threads of a session whose card says nothing."""
        self._opener = Opener(
            cache=self._cache,
            artifacts=artifacts,
            limits=limits,
            memory_max_bytes=self.machine.memory_max_bytes,
        )
        self._embedded = flags is None
        self.flags = AdoptedFlags() if flags is None else flags
        """Those of a server, which somebody else follows; else the ledger's."""
        self.live = LivePlan(Plan(revision=-1, models={}, callers={}), {}, self._opener.cache)
        self.known_us = 0
        """When the plan was last known to be the latest."""
        self._opened_us = 0
        self._complaint = ""

    @property
    def upstreams(self) -> list[UpstreamSession]:
        """The models that run elsewhere, as this process knows them."""
        return self._cache.upstreams()

    @property
    def loaded(self) -> bool:
        """Whether a plan was ever loaded; readiness depends on this alone."""
        return self.live.plan.revision >= 0

    async def start(self) -> None:
        """Load the plan from the ledger or, while that is away, from the local snapshot."""
        try:
            await self.refresh()
        except LedgerUnavailable:
            kept = await asyncio.to_thread(read_snapshot, self._snapshot)
            if kept is None:
                _log.warning("plan_missing", reason="the ledger is away and there is no local snapshot")
                return
            await self._swap(kept.plan())
            if kept.flags is not None and self._embedded:
                await self.flags.adopt(kept.flags, kept.known_us)
            self.known_us = kept.known_us
            _log.warning("plan_from_snapshot", revision=kept.revision)

    async def follow(self) -> None:
        """Refresh whenever the bell rings, and at least every `POLL_S` seconds, until cancelled."""
        with self._ledger.bell.listen() as bell:
            while True:
                await self._follow_once()
                FLAG_AGE.put(min(self.flags.age_s(now_us()), 1e9))
                await bell.wait(POLL_S)

    async def refresh(self) -> bool:
        """Read the plan anew if its revision has grown; True when it was swapped. Raises: LedgerUnavailable."""
        at_us = now_us()
        if await latest_revision(self._ledger) == self.live.plan.revision:
            self._confirm(at_us)
            self.known_us = at_us
            return await self._try_again(at_us)
        async with self._ledger.reading() as r:
            # Neither the kill switch nor a rollback nor a revoked key waits for the rest.
            self.live.halt(await all_halts(r))
            self.live.point(await all_champions(r))
            self.live.admit(await live_callers(r, await r.now_us()))
            known = {release.id: release for release in releases_of(self.live.plan)}
            plan, flags = await read_plan(r, known), await current_state(r)
        if self._embedded:
            await self.flags.adopt(flags, at_us)
        await self._swap(plan)
        self.known_us = at_us
        await self._keep(plan, flags, at_us)
        return True

    async def close(self) -> None:
        """Give every session back."""
        self.live.retire()

    async def _follow_once(self) -> None:
        """One refresh; whatever goes wrong, the present plan stays in force and the next ring tries again."""
        try:
            await self.refresh()
        except LedgerUnavailable:
            self._complain("the ledger is away")
        except Exception as error:  # noqa: BLE001 - a plan that cannot be read must not end the following
            self._complain(type(error).__name__, error)
        else:
            self._complaint = ""

    def _complain(self, reason: str, error: Exception | None = None) -> None:
        """Log why the plan is not followed, once for each reason."""
        if reason != self._complaint:
            _log.warning("plan_not_followed", reason=reason, exc_info=error)
        self._complaint = reason

    def _confirm(self, at_us: int) -> None:
        """The ledger's flags are the latest whenever its plan is."""
        if self._embedded:
            self.flags.confirm(at_us)

    async def _try_again(self, at_us: int) -> bool:
        """Open once more, now and then, what could not be opened: its file may have come or been repaired."""
        if not self.live.unready() or at_us < after_us(self._opened_us, REOPEN_S):
            return False
        await self._swap(self.live.plan)
        return True

    async def _swap(self, plan: Plan) -> None:
        """Open what is new, then swap one reference; the old plan closes after its last request.

        What can answer already does not wait for a `previous` that is opened only to be warm: a rollback is urgent.
        Where memory is short, what was only kept warm and is not wanted any more leaves before anything is opened.
        """
        self._opened_us = now_us()
        narrower = making_way(self.live.room, self._opener.room(plan))
        if narrower is not None:
            self._put(await LivePlan.open(self.live.plan, self.live, self._opener, only_warm=True, room=narrower))
        if self.live.only_lacks_previous(plan):
            self._put(await LivePlan.open(plan, self.live, self._opener, only_warm=True))
        self._put(await LivePlan.open(plan, self.live, self._opener))
        wanted = {release.artifact for release in releases_of(plan)}
        await asyncio.to_thread(self._cache.sweep, wanted)

    def _put(self, fresh: LivePlan) -> None:
        before, self.live = self.live, fresh
        before.retire()
        PLAN_REVISION.put(fresh.plan.revision)
        if fresh.room != before.room:
            self._tell(fresh.room)

    def _tell(self, room: Room) -> None:
        """Log what operators should know about the sessions that are kept open now."""
        if room.cold:
            cold = [f"{seat.release} ({seat.place})" for seat in room.cold]
            _log.warning("sessions_left_cold", cold=cold, bytes=room.bytes, max_bytes=room.max_bytes)
        if room.over:
            _log.error("models_over_memory", bytes=room.bytes, max_bytes=room.max_bytes)
        threads = room.threads(self.threads)
        if oversubscribed(room, self.threads, self.machine.processes, cores()):
            _log.warning("threads_exceed_cores", threads=threads, processes=self.machine.processes, cores=cores())

    async def _keep(self, plan: Plan, flags: StoredState, at_us: int) -> None:
        try:
            await asyncio.to_thread(write_snapshot, self._snapshot, Snapshot.of(plan, flags, at_us))
        except OSError as error:
            _log.warning("snapshot_not_written", error=type(error).__name__)
