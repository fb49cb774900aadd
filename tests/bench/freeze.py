"""Freezing a million outcomes, in requests of ten items, on SQLite, in the child process that a server would start."""

import asyncio
import os
import resource
import sys
import tempfile
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import select

from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Adding, add
from gateway.store import migrate
from gateway.store.ledger import Ledger
from gateway.store.schema.who import TenantRow
from review.learning.child import in_child
from review.learning.freezing import FreezeTask, Frozen
from tests.bench.case import Case
from tests.bench.stand import CARD, MODEL, run
from tests.models import text_classifier
from tests.outcomes import Ground, Settled, ground, settle

OUTCOMES = int(os.environ.get("FREEZE_OUTCOMES", "1000000"))
ITEMS = 10
CHUNK = 1000
CLASSES = ("negative", "neutral", "positive")


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """What one freezing took."""

    seconds: float
    peak_mib: float


async def _measure() -> Took:
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder / 'ledger.db'}"
        await migrate.upgrade(url)
        ledger = Ledger.open(url)
        try:
            where = await _fill(ledger, folder)
        finally:
            await ledger.close()
        task = FreezeTask(
            ledger_url=url, payloads_url=str(where.objects), artifacts=str(folder / "artifacts"),
            tenant_id=where.tenant_id, model=MODEL, by="bench",
        )  # fmt: skip
        began = perf_counter()
        frozen = await in_child("learning.freezing", task, Frozen)
        took = perf_counter() - began
        assert frozen.manifest.items.rows == OUTCOMES
        # The largest of all children so far; the others of this process are small.
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return Took(seconds=took, peak_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit)


async def _fill(ledger: Ledger, folder: Path) -> Ground:
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    file = folder / "model.onnx"
    await asyncio.to_thread(file.write_bytes, text_classifier())
    adding = Adding(tenant_id=tenant_id, name=MODEL, file=file, card=CARD, by="bench")
    await add(ledger, LocalObjects(folder / "artifacts"), adding)
    async with ledger.writing() as w:
        where = await ground(w, MODEL, folder / "objects")
    for start in range(0, OUTCOMES // ITEMS, CHUNK):
        async with ledger.writing() as w:
            await settle(w, where, [_request(n) for n in range(start, min(start + CHUNK, OUTCOMES // ITEMS))])
    return where


def _request(number: int) -> Settled:
    texts: Any = np.array([f"review {number}, sentence {at}: not bad at all" for at in range(ITEMS)], dtype=object)
    answers = tuple(CLASSES[(number + at) % 3] for at in range(ITEMS))
    return Settled(inputs={"text": texts}, answers=answers, scores=(0.5,) * ITEMS)


@cache
def _took() -> Took:
    return run(_measure())


CASES = [
    Case(
        name="freeze_s",
        what=f"seconds to freeze {OUTCOMES:,} outcomes of requests of {ITEMS} items on SQLite",
        better="lower",
        goal=60.0,
        measure=lambda: _took().seconds,
    ),
    Case(
        name="freeze_peak_mib",
        what=f"MiB of memory at most while freezing {OUTCOMES:,} outcomes",
        better="lower",
        goal=1024.0,
        measure=lambda: _took().peak_mib,
    ),
]
