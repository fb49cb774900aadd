"""A ledger with a trial in it, a traffic log in which its runs are recorded, and people who judge what differs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select

from flags.answer import NOTHING_LOADED
from gateway.capture import Capture
from gateway.facts import entry_of
from gateway.record.entries import Shadowed, ShadowStatus
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.stages import Stages
from gateway.store.ledger import Ledger
from gateway.store.schema.work import CaseRow
from gateway.times import now_us
from review.disagreements import follow_disagreements
from tests.integration.holding.scene import Scene as Holding
from tests.trials import Trial, add_candidate, open_trial
from tests.worlds import Rules, World, build_world


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A trial and what surrounds it."""

    url: str
    ledger: Ledger
    world: World
    trial: Trial
    folder: Path
    holding: Holding

    @property
    def traffic(self) -> Path:
        """The traffic directory."""
        return self.folder / "traffic"

    @property
    def objects(self) -> LocalObjects:
        """Where the payloads lie."""
        return LocalObjects(self.folder / "objects")

    @asynccontextmanager
    async def recording(self) -> AsyncIterator["Recording"]:
        """A gateway's log."""
        settings = LogSettings(directory=self.traffic, process="gateway-1", sync_interval_s=60, reserve_bytes=0)
        async with open_traffic_log(settings, self.objects) as log:
            yield Recording(scene=self, log=log, capture=Capture(log, self.objects))

    async def follow(self) -> int:
        """Follow the log once."""
        return await follow_disagreements(self.ledger, self.objects, self.traffic)

    async def cases(self) -> list[CaseRow]:
        """The disagreement cases, oldest first."""
        statement = select(CaseRow).where(CaseRow.kind == "disagreement").order_by(CaseRow.id)
        async with self.ledger.reading() as r:
            return list((await r.execute(statement)).scalars())

    async def disagree(self, *answers: str | None) -> list[UUID]:
        """A prediction whose items the champion says are negative and the candidate this; the ids of its cases."""
        async with self.recording() as log:
            prediction = await log.answered(answers)
        await self.follow()
        return [case.id for case in await self.cases() if case.prediction_id == prediction]


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway writes of a trial."""

    scene: Scene
    log: TrafficLog
    capture: Capture

    async def answered(
        self, others: Sequence[str | None], *, draw: float = 0.25, probability: float = 1.0, keep: bool = True
    ) -> UUID:
        """The champion says `negative` of each item, the candidate what is given; the prediction's id."""
        held = self.scene.holding.held(f"text {len(others)}", items=len(others), held=(), rule="automated")
        settled = msgspec.structs.replace(held.settled, path="shadow")
        held = msgspec.structs.replace(held, settled=settled)
        differing = tuple(item for item, other in enumerate(others, start=1) if other != "negative")
        drawn = keep and differing and draw < probability
        decided = await self.capture.keep(held, NOTHING_LOADED, Stages()) if drawn else None
        entry = self._entry("answered", held.id, len(others), probability)
        entry = msgspec.structs.replace(
            entry, differing=differing, draws=(draw,) * len(differing), decided=decided,
            answers=tuple(others[item - 1] for item in differing), run_us=250,
        )  # fmt: skip
        await self.log.append(entry)
        return held.id

    async def decided(self) -> None:
        """An answer of the champion beside which a run is to be made."""
        held = self.scene.holding.held("text", held=(), rule="automated")
        entry = entry_of(held, NOTHING_LOADED, Stages(), "gateway-1")
        await self.log.append(msgspec.structs.replace(entry, path="shadow", decided_path="shadow"))

    async def missed(self, status: ShadowStatus) -> None:
        """A run that came to nothing."""
        held = self.scene.holding.held("missed", held=())
        await self.log.append(self._entry(status, held.id, 1, 1.0))

    def _entry(self, status: ShadowStatus, prediction: UUID, items: int, probability: float) -> Shadowed:
        return Shadowed(
            at_us=now_us(), process="gateway-1", prediction=prediction, tenant=self.scene.world.tenant_id,
            model="sentiment", release="sentiment@1", shadow_release="sentiment@2", status=status, item_count=items,
            inclusion_probability=probability, trial=self.scene.trial.id,
        )  # fmt: skip


@asynccontextmanager
async def open_scene(url: str, folder: Path, rules: Rules | None = None) -> AsyncIterator[Scene]:
    """A scene on a migrated ledger."""
    ledger = Ledger.open(url)
    try:
        async with ledger.writing() as w:
            world = await build_world(w, rules=rules or Rules())
            trial = await open_trial(w, world.model_id, await add_candidate(w, world.model_id))
        objects = LocalObjects(folder / "objects")
        holding = Holding(ledger=ledger, objects=objects, world=world, holds=None)  # type: ignore[arg-type]
        yield Scene(url=url, ledger=ledger, world=world, trial=trial, folder=folder, holding=holding)
    finally:
        await ledger.close()
