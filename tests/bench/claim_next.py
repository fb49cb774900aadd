"""Claim the next of 100,000 open cases, on both databases, with one writer; the commit is part of it."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import Any

from sqlalchemy import insert

from gateway.ids import new_id
from gateway.store import migrate
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.work import CaseRow
from gateway.times import after_us, now_us
from review.actors import Actor
from review.desk.claim import claim_next
from tests.bench.case import Case
from tests.bench.stand import percentile
from tests.servers.postgres import running_postgres
from tests.worlds import World, build_world

OPEN_CASES = 100_000
CLAIMS = 400
BATCH = 5_000


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    """The URL of an empty database."""
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockgate-bench-"))
            yield f"sqlite+aiosqlite:///{folder}/ledger.db"
        else:
            yield stack.enter_context(stack.enter_context(running_postgres()).database())


async def _fill(w: WriteSession, world: World, count: int, now: int) -> None:
    predictions = [_prediction(world, number, now) for number in range(count)]
    await w.execute(insert(PredictionRow), predictions)
    await w.execute(insert(CaseRow), [_case(world, each["id"], number, now) for number, each in enumerate(predictions)])


def _prediction(world: World, number: int, now: int) -> dict[str, Any]:
    return {
        "id": new_id(), "tenant_id": world.tenant_id, "api_key_id": world.key_id, "model_id": world.model_id,
        "release_id": world.release_id, "flag_state": None, "request_id": None, "decided_path": "automated",
        "path": "review", "decided_rule": "automated", "rule": "below_threshold", "facts": "{}", "items": 1,
        "open": False, "input_digest": f"{number:064x}", "input_payload_id": None, "output_payload_id": None,
        "wait_until_us": None, "cancelled_us": None, "log_segment": None, "log_offset": None, "created_us": now,
    }  # fmt: skip


def _case(world: World, prediction_id: object, number: int, now: int) -> dict[str, Any]:
    return {
        "id": new_id(), "tenant_id": world.tenant_id, "prediction_id": prediction_id, "item": 1, "kind": "hold",
        "queue_id": world.queue_id, "queue_revision_id": world.queue_revision_id, "model_id": world.model_id,
        "release_id": world.release_id, "other_release_id": None, "rule": "below_threshold", "evidence": "{}",
        "answer": '"negative"', "score": 0.4, "inclusion_probability": None, "draw": None, "blind": False,
        "priority": 10 + number % 5 * 10, "state": "open", "round": 1, "version": 1, "next_token": 1,
        "due_us": after_us(now, 3600 + number), "caller_waiting": True, "caller_withdrew": False,
        "closed_reason": None, "created_us": now, "changed_us": now,
    }  # fmt: skip


async def _claims(url: str) -> list[float]:
    await migrate.upgrade(url)
    ledger = Ledger.open(url)
    try:
        now = now_us()
        async with ledger.writing() as w:
            world = await build_world(w, now_us=now)
        for _ in range(OPEN_CASES // BATCH):
            async with ledger.writing() as w:
                await _fill(w, world, BATCH, now)
        return [await _claim(ledger, _reviewer(world)) for _ in range(CLAIMS)]
    finally:
        await ledger.close()


def _reviewer(world: World) -> Actor:
    roles = frozenset({("reviewer", None)})
    email = "ada@example.org"
    return Actor(kind="person", id=world.people["ada"], name="Ada", email=email, tenant_id=world.tenant_id, roles=roles)  # type: ignore[arg-type]


async def _claim(ledger: Ledger, reviewer: Actor) -> float:
    began = perf_counter()
    async with ledger.writing() as w:
        claims = await claim_next(w, reviewer, count=1)
    assert len(claims) == 1
    return perf_counter() - began


def _measure(kind: str) -> float:
    with _database(kind) as url:
        return percentile(asyncio.run(_claims(url)), 0.99) * 1000


CASES = tuple(
    Case(
        name=f"claim_next_{kind}_p99_ms",
        what=f"milliseconds to claim the next of {OPEN_CASES} open cases on {kind}, p99 of {CLAIMS}, commit included",
        better="lower",
        goal=20.0,
        measure=partial(_measure, kind),
    )
    for kind in ("sqlite", "postgresql")
)
