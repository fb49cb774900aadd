"""A model whose promotions are watched: what callers were told, what people said of it, and a look of the guard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, update

from gateway.plan import HaltPlan
from gateway.record.entries import Decided, Entry, Refused, StageTimes
from gateway.store.halts import halt_of
from gateway.store.schema.predictions import DeliveryRow
from gateway.store.schema.work import CaseRow
from gateway.store.segments import LedgerSegments
from gateway.times import now_us
from review.release.guard import GuardShown, WatchShown, clear_guard, set_guard, show_guard
from review.release.guarding import Declaration
from review.release.watching import watch_promotions
from review.store.guards import Watch, latest_watch
from review.traffic.query import TrafficReader
from tests.integration.record.scene import record
from tests.integration.release.scene import MODEL, Scene
from tests.outcomes import Ground, Kind, Settled, ground, numbers, settle
from tests.unit.record.samples import decided, refused

ERRORS = {"errors": {"limit": 0.1, "min_sample": 20}}
HOUR_US = 3_600_000_000
LOOK_US = 10_000_000
"""After such a time a watch of a test is due again."""


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """A scene of releases with a traffic log."""

    scene: Scene
    ground: Ground

    @property
    def traffic(self) -> TrafficReader:
        """The traffic log."""
        return TrafficReader(self.scene.registry.folder / "traffic", LedgerSegments(self.scene.registry.ledger))

    async def declare(self, why: str = "it is new", **declared: Any) -> GuardShown:
        """Declare what is watched."""
        declaration = msgspec.convert(declared, Declaration)
        return await set_guard(self.scene.registry.ledger, self.scene.operator, MODEL, declaration, why)

    async def clear(self) -> GuardShown:
        """Watch nothing any more."""
        return await clear_guard(self.scene.registry.ledger, self.scene.operator, MODEL, "enough seen")

    async def shown(self) -> GuardShown:
        """What is declared, and how the latest watch stands."""
        return await show_guard(self.scene.registry.ledger, self.scene.registry.tenant_id, MODEL)

    async def watch(self) -> WatchShown:
        """The latest watch."""
        found = (await self.shown()).watch
        assert found is not None
        return found

    async def open_watch(self) -> Watch:
        """The latest watch as the worker has it."""
        async with self.scene.registry.ledger.reading() as r:
            model_id = self.ground.model_id
            found = await latest_watch(r, model_id)
        assert found is not None
        return found

    async def look(self, at_us: int | None = None) -> None:
        """The guard looks, now or when it is due unless another time is given."""
        watch = (await self.shown()).watch
        due_us = (watch.looked_us or 0) + LOOK_US if watch is not None else 0
        at_us = max(now_us(), due_us) if at_us is None else at_us
        await watch_promotions(self.scene.registry.ledger, self.traffic, at_us)

    async def halted(self) -> HaltPlan | None:
        """The model's halt."""
        async with self.scene.registry.ledger.reading() as r:
            return await halt_of(r, self.ground.model_id)

    async def told(self) -> list[str]:
        """What the events say of the guard, in their order."""
        names = ("declared", "cleared", "watching", "passed", "breached", "ended")
        found = await self.scene.events(*(f"guard.{name}" for name in names))
        return [event.type.removeprefix("guard.") for event in sorted(found, key=lambda one: (one.occurred_us, one.id))]

    async def judged(
        self, right: int, wrong: int, *, kind: Kind = "audit", probability: float | None = 0.5, at_us: int | None = None
    ) -> list[UUID]:
        """People judged so many answers of the release that serves."""
        serving = (await self.scene.registry.plan()).models[self.scene.registry.tenant_id, MODEL].champion
        where = msgspec.structs.replace(self.ground, release_id=serving.id)
        answers = ["a"] * right + ["b"] * wrong
        asked = [
            Settled(
                inputs=numbers([0, 0, 0, 0]), answers=(answer,), said=("a",), kind=kind,
                probability=probability if kind == "audit" else None,
            )
            for answer in answers
        ]  # fmt: skip
        async with self.scene.registry.ledger.writing() as w:
            return await settle(w, where, asked, at_us=now_us() if at_us is None else at_us)

    async def unjudged(self, number: int) -> None:
        """So many audits were drawn and expired before anybody judged them."""
        predictions = await self.judged(number, 0)
        async with self.scene.registry.ledger.writing() as w:
            await w.execute(update(CaseRow).where(CaseRow.prediction_id.in_(predictions)).values(state="expired"))

    async def refused(self, predictions: Sequence[UUID]) -> None:
        """The callers of these held predictions were told that there is no answer."""
        async with self.scene.registry.ledger.writing() as w:
            for prediction in predictions:
                await w.execute(insert(DeliveryRow).values(
                    prediction_id=prediction, n=1, kind="refusal", outcome_revision=None, response_digest="d" * 64,
                    delivered_us=now_us()))  # fmt: skip

    async def recorded(self, *entries: Entry) -> None:
        """What gateways recorded."""
        await record(self.scene.registry.folder / "traffic", entries)

    def answer(self, release: str, ms: int = 1, **more: Any) -> Decided:
        """An answer that took so long."""
        entry = decided(tenant=self.scene.registry.tenant_id, model=MODEL, release=release, **more)
        return msgspec.structs.replace(entry, stages=StageTimes(decode_us=ms * 400, run_us=ms * 600))

    def failure(self, release: str) -> Refused:
        """A request of which the run failed."""
        return refused(tenant=self.scene.registry.tenant_id, model=MODEL, release=release)


async def guarded(scene: Scene) -> Guarded:
    """The scene, ready to be guarded."""
    async with scene.registry.ledger.writing() as w:
        return Guarded(scene=scene, ground=await ground(w, MODEL, scene.registry.folder / "objects"))


async def promoted(on: Guarded, **declared: object) -> None:
    """A guard is declared, and the next release is promoted."""
    await on.declare(**declared)
    await on.scene.promote(await on.scene.release())
