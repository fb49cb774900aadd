"""Audit cases from the traffic log: each drawn item once, whatever is killed when, and sealing waits for them."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from flags.answer import NOTHING_LOADED
from gateway.capture import Capture
from gateway.record.codec import PLAIN_MARK
from gateway.record.entries import Decided
from gateway.record.frames import frame
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.segment import SegmentFile
from gateway.stages import Stages
from gateway.store.ledger import Ledger
from gateway.store.schema.predictions import DeliveryRow, PredictionRow
from gateway.store.schema.work import CaseRow
from gateway.store.segments import LedgerCursors, LedgerSegments, latest_offsets
from review.audits import CONSUMER, follow_audits
from review.following import Passed
from review.traffic.query import TrafficReader
from review.traffic.seal import Sealer
from tests.integration.holding.scene import Scene as Holding
from tests.killed import Point, killed_at
from tests.worlds import World, build_world

KILLED_AT: tuple[tuple[Point, int], ...] = (("committed", 1), ("commit", 2))


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with a small world, and a traffic log beside it."""

    url: str
    ledger: Ledger
    world: World
    folder: Path

    @property
    def traffic(self) -> Path:
        return self.folder / "traffic"

    @property
    def objects(self) -> LocalObjects:
        return LocalObjects(self.folder / "objects")

    async def record(self, count: int, *, items: int = 1, drawn: bool = True) -> list[UUID]:
        """Record automated predictions as a gateway does; all items drawn for audit, or none."""
        settings = LogSettings(directory=self.traffic, process="gateway-1", sync_interval_s=60, reserve_bytes=0)
        holding = Holding(ledger=self.ledger, objects=self.objects, world=self.world, holds=None)  # type: ignore[arg-type]
        made = []
        async with open_traffic_log(settings, self.objects) as log:
            capture = Capture(log, self.objects)
            for number in range(count):
                held = holding.held(f"text {number}", items=items, held=(), rule="automated")
                settled = tuple(
                    msgspec.structs.replace(item, audit_probability=float(drawn), audit_draw=0.5)
                    for item in held.settled.items
                )
                prediction = msgspec.structs.replace(
                    held, settled=msgspec.structs.replace(held.settled, path="automated", items=settled)
                )
                await capture.record(prediction, NOTHING_LOADED, Stages(), 0.0)
                made.append(prediction.id)
            await capture.close()
        return made

    async def cases(self) -> Counter[tuple[UUID, int]]:
        """How many audit cases each item has."""
        async with self.ledger.reading() as r:
            rows = await r.execute(select(CaseRow.prediction_id, CaseRow.item).where(CaseRow.kind == "audit"))
            return Counter((row[0], row[1]) for row in rows)

    async def follow(self) -> int:
        """Follow the log once."""
        return await follow_audits(self.ledger, self.objects, self.traffic)


@pytest.fixture
async def scene(ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene on each database."""
    ledger = Ledger.open(ledger_url)
    async with ledger.writing() as w:
        world = await build_world(w)
    yield Scene(url=ledger_url, ledger=ledger, world=world, folder=tmp_path)
    await ledger.close()


async def test_each_drawn_item_becomes_a_case_once(scene: Scene) -> None:
    """Following twice makes nothing new; a prediction's rows tell its answer, its payloads and what was delivered."""
    made = await scene.record(3, items=2)
    await scene.record(2, drawn=False)
    assert await scene.follow() == 6
    assert await scene.follow() == 0
    assert await scene.cases() == {(prediction, item): 1 for prediction in made for item in (1, 2)}
    async with scene.ledger.reading() as r:
        rows = list((await r.execute(select(PredictionRow))).scalars())
        told = list((await r.execute(select(DeliveryRow.kind))).scalars())
        case = (await r.execute(select(CaseRow).limit(1))).scalar_one()
    assert {row.id for row in rows} == set(made)
    assert all(row.input_payload_id and row.output_payload_id and not row.open for row in rows)
    assert told == ["answer"] * 3
    assert (case.inclusion_probability, case.draw, case.answer) == (1.0, 0.5, '"negative"')


async def test_sealing_waits_for_the_audits(scene: Scene) -> None:
    """A segment stays open until its drawn items are cases; sealed afterwards, it makes none again."""
    made = await scene.record(4)
    sealer = Sealer(scene.traffic, LedgerSegments(scene.ledger), LedgerCursors(scene.ledger, (CONSUMER,)))
    assert (await sealer.run()).behind == 1
    assert await scene.follow() == 4
    assert len((await sealer.run()).sealed) == 1
    assert await scene.follow() == 0
    found = await TrafficReader(scene.traffic, LedgerSegments(scene.ledger)).find(made[0])
    assert [type(each.entry) for each in found] == [Decided]


async def test_a_killed_worker_doubles_and_loses_nothing(scene: Scene) -> None:
    """Killed before and after a commit, the workers after it open every case exactly once."""
    made = await scene.record(20)
    for point, number in KILLED_AT:
        await killed_at(point, number, "tests.follow", "audits", scene.url, scene.traffic, scene.folder / "objects")
    await scene.follow()
    assert await scene.cases() == {(prediction, 1): 1 for prediction in made}
    assert await scene.follow() == 0


async def test_what_is_passed_by_is_committed_when_the_log_rests(scene: Scene) -> None:
    """A worker that remembers commits nothing while plain entries come, and all of them once no more have come."""
    passed, plain = Passed(), frame(b"\xde\x00\x14" + PLAIN_MARK)
    directory = _made(scene.traffic / "open")
    segment = SegmentFile.create(directory, "gateway-1.a.000001")
    ends = []
    for more in (True, True, False, False):
        if more:
            segment.write(bytearray(plain * 3))
        assert await follow_audits(scene.ledger, scene.objects, scene.traffic, passed=passed) == 0
        ends.append(await latest_offsets(scene.ledger, CONSUMER))
    segment.close()
    whole = {segment.name: segment.size}
    assert ends == [{}, {}, whole, whole]


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory
