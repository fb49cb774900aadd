"""The SQL of counting a trial: its runs as the worker counts them, and what people said of its disagreements."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from gateway.store.leases import move_cursor, read_cursor
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import TrialRow


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """What the shadow runs of a trial came to."""

    compared: int = 0
    """Items that both releases answered."""
    disagreements: int = 0
    """Those about which they differ, drawn or not."""
    missing: int = 0
    """Runs that were dropped, failed or timed out."""


async def open_trials(r: ReadSession) -> frozenset[UUID]:
    """Every trial that has not ended."""
    return frozenset((await r.execute(select(TrialRow.id).where(TrialRow.closed_us.is_(None)))).scalars())


async def count_runs(w: WriteSession, trial_id: UUID, runs: Runs) -> None:
    """Add to the trial's counts, which are kept beside the cursors: they grow with them, in the same transaction."""
    before = await runs_of(w, trial_id)
    for name in Runs.__struct_fields__:
        if more := getattr(runs, name):
            await move_cursor(w, _key(trial_id, name), getattr(before, name) + more)


async def runs_of(r: ReadSession, trial_id: UUID) -> Runs:
    """The trial's counts so far."""
    return Runs(**{name: await read_cursor(r, _key(trial_id, name)) for name in Runs.__struct_fields__})


def _key(trial_id: UUID, name: str) -> str:
    return f"trial:{trial_id}:{name}"
