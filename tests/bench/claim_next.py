"""Claiming the next of 100,000 open cases, with one writer, on both databases."""

import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert, select

from gateway.ids import new_id
from gateway.store import migrate
from gateway.store.ledger import Ledger
from gateway.store.schema.columns import Table
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.work import CaseRow
from gateway.times import now_us
from review.actors import Actor
from review.desk.claim import claim_next
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from tests.bench.case import Case
from tests.bench.stand import percentile, run
from tests.servers.postgres import running_postgres
from tests.worlds import World, build_world, hold, sha256

CASES_OPEN = 100_000
CHUNK = 5_000
CLAIMS = 300


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockgate-bench-"))
            yield f"sqlite+aiosqlite:///{Path(folder) / 'ledger.db'}"
        else:
            yield stack.enter_context(stack.enter_context(running_postgres()).database())


async def _fill(ledger: Ledger) -> World:
    """A world with 100,000 open cases of different priorities and deadlines, all like the first one."""
    async with ledger.writing() as w:
        world = await build_world(w, now_us=now_us())
        first = await hold(w, world, deadline_s=86_400.0)
        case = dict((await w.execute(select(CaseRow.__table__).where(CaseRow.id == first.cases[0]))).one()._mapping)
        prediction = dict((await w.execute(select(PredictionRow.__table__))).one()._mapping)
        for start in range(0, CASES_OPEN, CHUNK):
            await _insert(w, prediction, case, range(start, start + CHUNK))
    return world


async def _insert(w: Any, prediction: dict[str, Any], case: dict[str, Any], numbers: range) -> None:
    ids = [new_id() for _ in numbers]
    tables = Table.metadata.tables
    await w.execute(
        insert(tables["prediction"]),
        [prediction | {"id": id_, "input_digest": sha256(str(n))} for id_, n in zip(ids, numbers, strict=True)],
    )
    spread = [
        {"id": new_id(), "prediction_id": id_, "priority": (20, 30, 40, 50)[n % 4], "due_us": case["due_us"] + n * 7919}
        for id_, n in zip(ids, numbers, strict=True)
    ]
    await w.execute(insert(tables["case"]), [case | each for each in spread])


async def _measure(url: str) -> float:
    await migrate.upgrade(url)
    ledger = Ledger.open(url)
    try:
        world = await _fill(ledger)
        ada = Actor(
            kind="person", id=world.people["ada"], name="Ada", tenant_id=world.tenant_id,
            roles=frozenset({("reviewer", None)}),
        )  # fmt: skip
        took = [await _claim(ledger, ada) for _ in range(CLAIMS)]
    finally:
        await ledger.close()
    return percentile(took, 0.99) * 1000


async def _claim(ledger: Ledger, actor: Actor) -> float:
    """Seconds that a claim took with its commit; the case is then judged, as it would be."""
    began = perf_counter()
    async with ledger.writing() as w:
        (claim,) = await claim_next(w, actor)
    took = perf_counter() - began
    await post_verdict(ledger, actor, claim.id, claim.token, Judgement(kind="approve", post_key=new_id().hex))
    return took


def _on(kind: str) -> float:
    with _database(kind) as url:
        return run(_measure(url))


CASES = tuple(
    Case(
        name=f"claim_next_{kind}_p99_ms",
        what=f"milliseconds to claim the next of {CASES_OPEN:,} open cases on {kind}, p99, one writer",
        better="lower",
        goal=20.0,
        measure=partial(_on, kind),
    )
    for kind in ("sqlite", "postgresql")
)
