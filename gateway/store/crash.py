"""The SQL of clearing up after a crash: what a dead process held is free at once instead of after its time."""

from sqlalchemy import update

from gateway.store.ledger import WriteSession
from gateway.store.schema.plumbing import JobRow, LeaseRow
from gateway.store.schema.predictions import IdempotencyRow


async def free_leases(w: WriteSession, now_us: int) -> int:
    """End every lease that still runs; returns how many."""
    ended = await w.execute(update(LeaseRow).where(LeaseRow.until_us > now_us).values(until_us=0))
    return int(ended.rowcount)  # type: ignore[attr-defined]


async def free_idempotency_keys(w: WriteSession, now_us: int) -> int:
    """Let retries take over the keys of requests that nobody works on any more; returns how many."""
    held = IdempotencyRow.state == "running", IdempotencyRow.owner_until_us > now_us
    freed = await w.execute(update(IdempotencyRow).where(*held).values(owner_until_us=now_us))
    return int(freed.rowcount)  # type: ignore[attr-defined]


async def requeue_jobs(w: WriteSession, now_us: int) -> int:
    """Put jobs that nobody runs any more back into the line; returns how many."""
    running = update(JobRow).where(JobRow.state == "running")
    requeued = await w.execute(running.values(state="waiting", progress=0.0, changed_us=now_us))
    return int(requeued.rowcount)  # type: ignore[attr-defined]
