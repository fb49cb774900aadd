"""A ledger with a small world, a traffic log beside it, and services that learn later what was right."""

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from flags.answer import NOTHING_LOADED
from gateway.capture import Capture
from gateway.holding.arriving import ArrivedTruth, TruthBatch, TruthReceipt
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.stages import Stages
from gateway.store.events import events_about
from gateway.store.ledger import Ledger
from gateway.store.schema.work import OutcomeRow
from gateway.store.segments import LedgerSegments
from review.arriving import record_truths
from review.desk.adjudicate import adjudicate
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from review.traffic.query import TrafficReader
from tests.integration.holding.scene import Scene as Holding
from tests.worlds import World


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What a test of outcomes has in hand."""

    ledger: Ledger
    objects: LocalObjects
    world: World
    folder: Path
    desk: Holding
    """The gateway's holds over the same ledger, with people who judge."""

    @property
    def traffic(self) -> TrafficReader:
        """The traffic log."""
        return TrafficReader(self.folder / "traffic", LedgerSegments(self.ledger))

    async def answered(self, *texts: str, items: int = 1, **asked: Any) -> list[UUID]:
        """Predictions that the model answered by itself, as negative; only the traffic log has them."""
        settings = LogSettings(
            directory=self.folder / "traffic", process="gateway-1", sync_interval_s=60, reserve_bytes=0
        )
        made = []
        async with open_traffic_log(settings, self.objects) as log:
            capture = Capture(log, self.objects)
            for text in texts:
                held = self.desk.held(text, items=items, held=(), rule="automated", **asked)
                alone = msgspec.structs.replace(held.settled, path="automated")
                await capture.record(msgspec.structs.replace(held, settled=alone), NOTHING_LOADED, Stages(), 0.0)
                made.append(held.id)
            await capture.close()
        return made

    async def judged(self, answer: str | None, *, text: str = "not bad at all") -> UUID:
        """A held prediction, which one person settled; it was answered with that."""
        held = self.desk.held(text, respond_async=True)
        await self.desk.holds.hold(held)
        await self.desk.judge((await self.desk.cases(held.id))[0].id, answer)
        return held.id

    async def lead_decides(self, case_id: UUID, answer: str) -> None:
        """A reviewer escalates the case, and a lead gives this answer."""
        claim = await self.desk.claim(case_id)
        escalated = Judgement(kind="escalate", post_key=claim.id.hex)
        await post_verdict(self.ledger, self.desk.person(), claim.id, claim.token, escalated)
        await self.lead_says(case_id, answer)

    async def lead_says(self, case_id: UUID, answer: str) -> None:
        """A lead decides a case that waits for one."""
        async with self.ledger.writing() as w:
            judgement = Judgement(kind="correct", answer=answer, post_key=f"lead-{case_id.hex}")
            await adjudicate(w, self.desk.person("lena"), case_id, judgement)

    async def learn(self, *entries: ArrivedTruth, model: str = "sentiment") -> list[TruthReceipt]:
        """What becomes of these truths."""
        batch = TruthBatch(tenant_id=self.world.tenant_id, model=model, by="key:lab", entries=entries)
        return list((await record_truths(self.ledger, self.traffic, self.objects, batch)).outcomes)

    async def outcomes(self, prediction_id: UUID) -> list[tuple[int, int, str, str | None]]:
        """Item, revision, source and answer of each outcome."""
        row = OutcomeRow
        statement = select(row.item, row.revision, row.source, row.answer).where(row.prediction_id == prediction_id)
        async with self.ledger.reading() as r:
            return [tuple(found) for found in await r.execute(statement.order_by(row.item, row.revision))]  # type: ignore[misc]

    async def case_events(self, case_id: UUID) -> list[str]:
        """The types of the events about a case."""
        async with self.ledger.reading() as r:
            return [event.type for event in await events_about(r, f"case:{case_id}")]

    async def events(self, prediction_id: UUID) -> list[str]:
        """The types of the events about a prediction, without those of its holding."""
        async with self.ledger.reading() as r:
            events = await events_about(r, f"prediction:{prediction_id}")
        return [event.type for event in events if event.type not in ("prediction.held", "prediction.settled")]


def truth(prediction_id: UUID, answer: Any = "positive", source: str = "lab", item: int = 1) -> ArrivedTruth:
    """What a source says is right."""
    return ArrivedTruth(prediction_id=prediction_id, item=item, answer=answer, source=source)
