"""Simulating a change over a million recorded decisions, in the child process that a server would start."""

import asyncio
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from flags.definitions import State, body_of, digest_of, switched, with_model_flags
from gateway.ids import new_id
from gateway.record.codec import encode
from gateway.record.entries import Decided, FlagFacts, ItemFacts
from gateway.record.frames import Frame
from gateway.record.payloads import LocalObjects
from gateway.record.sealed import SealedPart, SealedSegment
from gateway.registry.adding import Adding, add
from gateway.store import migrate
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from gateway.store.schema.flags import FlagStateRow
from gateway.store.schema.who import TenantRow
from gateway.store.segments import LedgerSegments
from review.learning.child import in_tethered_child
from review.simulation.jobs import SIMULATE, SimulateArgs, SimulationResult
from review.simulation.proposal import Proposal, proposed_state
from review.simulation.simulating import SimulateTask
from review.store.jobs import NewJob, add_job
from review.traffic.batches import BATCH_ROWS, batches
from review.traffic.columns import DECIDED
from tests.bench.case import Case
from tests.bench.stand import CARD, MODEL, run
from tests.models import text_classifier

DECISIONS = int(os.environ.get("SIMULATE_DECISIONS", "1000000"))
A_SEGMENT = 50_000
HOUR_US = 3_600_000_000
SINCE_US = 1_763_000_000_000_000
CLASSES = ("negative", "neutral", "positive")
OFF = with_model_flags(State(), MODEL)
ON = switched(OFF, f"{MODEL}.automated", on=True)
PROPOSAL = Proposal(settings=("automated.rollout=25",), policy={"hold_below": 0.7})


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """What one simulation took."""

    seconds: float
    peak_mib: float


async def _measure() -> Took:
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder / 'ledger.db'}"
        await migrate.upgrade(url)
        ledger = Ledger.open(url)
        try:
            task = await _fill(ledger, folder, url)
        finally:
            await ledger.close()
        began = perf_counter()
        result = await in_tethered_child("simulation.child", task, SimulationResult)
        took = perf_counter() - began
        assert result.changed is not None
        assert (result.changed.n, result.unknown) == (DECISIONS, 0.0)
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return Took(seconds=took, peak_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit)


async def _fill(ledger: Ledger, folder: Path, url: str) -> SimulateTask:
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    file = folder / "model.onnx"
    await asyncio.to_thread(file.write_bytes, text_classifier())
    adding = Adding(tenant_id=tenant_id, name=MODEL, file=file, card=CARD, by="bench")
    await add(ledger, LocalObjects(folder / "artifacts"), adding)
    for start in range(0, DECISIONS, A_SEGMENT):
        sealed = await asyncio.to_thread(_seal, folder / "traffic", tenant_id, start)
        await LedgerSegments(ledger).register(sealed)
    now, then = body_of(ON), proposed_state(body_of(ON), MODEL, PROPOSAL)
    async with ledger.writing() as w:
        w.add(FlagStateRow(sha256=digest_of(now), source="embedded", revision="1", body=now.decode(), first_seen_us=1))
        model = await known_model(w, tenant_id, MODEL)
        args = SimulateArgs(
            model_id=model.id, model=MODEL, proposal=PROPOSAL, state_now=digest_of(now), state_then=digest_of(then),
            body_then=then.decode(), since_us=0, until_us=1 << 62,
        )  # fmt: skip
        encoded = msgspec.json.encode(args).decode()
        new = NewJob(tenant_id=tenant_id, kind=SIMULATE, args=encoded, dedupe=args.name, by="bench", at_us=1)
        job_id, _ = await add_job(w, new)
    return SimulateTask(
        ledger_url=url, traffic=str(folder / "traffic"), artifacts=str(folder / "artifacts"), tenant_id=tenant_id,
        job_id=job_id,
    )  # fmt: skip


def _seal(traffic: Path, tenant_id: UUID, start: int) -> SealedSegment:
    """A segment of decisions as sealing leaves it."""
    name, rows = f"bench-{start:09d}", min(A_SEGMENT, DECISIONS - start)
    location = Path("sealed", "decided", f"{name}.parquet")
    path = traffic / location
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, DECIDED, compression="zstd") as writer:
        for batch in _batches(name, tenant_id, range(start, start + rows)):
            writer.write_batch(batch)
    part = SealedPart(
        kind="decided", location=location.as_posix(), sha256="0" * 64, bytes=path.stat().st_size, rows=rows
    )  # fmt: skip
    return SealedSegment(
        name=name, process="bench", entries=rows, torn_bytes=0, parts=(part,), first_us=_at(start),
        last_us=_at(start + rows),
    )  # fmt: skip


def _batches(segment: str, tenant_id: UUID, numbers: range) -> Iterator[pa.RecordBatch]:
    caller, state = new_id(), digest_of(body_of(ON))
    entries = ((number, encode(_entry(number, tenant_id, caller, state))) for number in numbers)
    found = (Frame(number, number + 1, data) for number, data in entries)
    assert BATCH_ROWS <= A_SEGMENT
    return (batch.rows for batch in batches(segment, found))


def _entry(number: int, tenant_id: UUID, caller: UUID, state: str) -> Decided:
    score = number % 1000 / 1000
    item = ItemFacts(
        score=score, held=False, rule="automated", audit_probability=0.02, audit_draw=0.5,
        answer=CLASSES[number % 3], unfit="",
    )  # fmt: skip
    return Decided(
        at_us=_at(number), process="bench", prediction=new_id(), tenant=tenant_id, model=MODEL, release=f"{MODEL}@1",
        path="automated", decided_path="automated", rule="automated", decided_rule="automated",
        public_rule="automated", api_key=caller, input_digest=sha256(str(number).encode()).hexdigest(),
        output_digest="0" * 64, asked=False, items=(item,), flags=FlagFacts(state=state, evaluated_us=_at(number)),
    )  # fmt: skip


def _at(number: int) -> int:
    return SINCE_US + number * 7 * 24 * HOUR_US // DECISIONS


@cache
def _took() -> Took:
    return run(_measure())


CASES = [
    Case(
        name="simulate_s",
        what=f"seconds to simulate a sticky rollout and a threshold over {DECISIONS:,} recorded decisions",
        better="lower",
        goal=10.0,
        measure=lambda: _took().seconds,
    ),
    Case(
        name="simulate_peak_mib",
        what=f"MiB of memory at most, of one process, while simulating over {DECISIONS:,} recorded decisions",
        better="lower",
        goal=512.0,
        measure=lambda: _took().peak_mib,
    ),
]
