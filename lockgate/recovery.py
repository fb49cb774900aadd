"""Recovery after a crash: what dead processes held is freed now. Refused while one of ours lives."""

from gateway.record.segment import open_segments
from gateway.store.crash import free_idempotency_keys, free_leases, requeue_jobs
from gateway.store.ledger import Ledger
from lockgate.presence import alone
from lockgate.settings import Settings


async def recover_ledger(settings: Settings, ledger: Ledger) -> list[str]:
    """What was freed, a sentence each. Raises: StillRunning, LedgerUnavailable."""
    with alone(settings.data_directory):
        async with ledger.writing() as w:
            now = await w.now_us()
            counts = (await free_leases(w, now), await free_idempotency_keys(w, now), await requeue_jobs(w, now))
        unsealed = len(open_segments(settings.traffic / "open")) if settings.traffic.exists() else 0
    leases, keys, jobs = counts
    return [
        f"{leases} lease(s) of dead processes ended.",
        f"{keys} idempotency key(s) can be taken over by a retry.",
        f"{jobs} interrupted job(s) are in the line again.",
        f"{unsealed} traffic segment(s) are whole up to their last entry; the next worker seals them.",
    ]
