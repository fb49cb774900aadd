"""The SQL of jobs: pieces of work that take longer than a request, one after the other by the worker.

A job changes its state by compare-and-swap, so that what was cancelled or finished meanwhile stays that.
"""

from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, bindparam, select, update

from gateway.ids import new_id
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.once import insert_once
from gateway.store.schema.plumbing import JobRow

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be put in the line."""

    tenant_id: UUID
    kind: str
    args: str
    dedupe: str
    """Names what it does, beginning with its model and a colon; of two with one name only one waits or runs."""
    by: str
    at_us: int


async def add_job(w: WriteSession, new: NewJob) -> tuple[UUID, bool]:
    """Put a job in the line; its id, and whether it is new: one that does the same may be there already."""
    id_ = new_id()
    given = {"tenant_id": new.tenant_id, "kind": new.kind, "args": new.args, "dedupe": new.dedupe, "by": new.by}
    times = {"created_us": new.at_us, "changed_us": new.at_us}
    if await insert_once(w, JobRow, id=id_, state="waiting", progress=0.0, result=None, error=None, **given, **times):
        return id_, True
    same = select(JobRow.id).where(
        JobRow.tenant_id == new.tenant_id, JobRow.kind == new.kind, JobRow.dedupe == new.dedupe, _is_open()
    )
    return (await w.execute(same)).scalar_one(), False


async def next_job(r: ReadSession, kind: str) -> JobRow | None:
    """The job whose turn it is: one that was begun before those that wait, else the oldest."""
    statement = select(JobRow).where(JobRow.kind == kind, _is_open())
    ordered = statement.order_by(JobRow.state == "waiting", JobRow.created_us, JobRow.id).limit(1)
    return (await r.execute(ordered)).scalar_one_or_none()


async def any_job(ledger: Ledger, kind: str) -> bool:
    """Whether a job of a kind waits or runs. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_ANY, kind=kind))


async def find_job(r: ReadSession, tenant_id: UUID, job_id: UUID) -> JobRow | None:
    """A tenant's job."""
    statement = select(JobRow).where(JobRow.id == job_id, JobRow.tenant_id == tenant_id)
    return (await r.execute(statement)).scalar_one_or_none()


async def jobs_of(r: ReadSession, tenant_id: UUID, model: str | None, limit: int = 50, *, kind: str) -> list[JobRow]:
    """A tenant's jobs of a kind, or those of one model, the newest first."""
    statement = select(JobRow).where(JobRow.tenant_id == tenant_id, JobRow.kind == kind)
    if model is not None:
        statement = statement.where(JobRow.dedupe.startswith(f"{model}:", autoescape=True))
    ordered = statement.order_by(JobRow.created_us.desc(), JobRow.id.desc()).limit(limit)
    return list((await r.execute(ordered)).scalars())


async def was_asked(r: ReadSession, tenant_id: UUID, dedupe: str) -> bool:
    """Whether a job of this name was ever put in the line."""
    statement = select(JobRow.id).where(JobRow.tenant_id == tenant_id, JobRow.dedupe == dedupe)
    return (await r.execute(statement.limit(1))).first() is not None


async def is_running(r: ReadSession, job_id: UUID) -> bool:
    """Whether a job is still to go on."""
    return (await r.execute(select(JobRow.state).where(JobRow.id == job_id))).scalar_one() == "running"


async def begin_job(w: WriteSession, job_id: UUID, args: str, at_us: int) -> bool:
    """Make a job running, with what it is told from now on; False when it is over meanwhile."""
    return await _change(w, job_id, at_us, _is_open(), state="running", args=args)


async def note_progress(w: WriteSession, job_id: UUID, progress: float, at_us: int) -> bool:
    """Say how far a running job is, from 0 to 1; False when it is over meanwhile."""
    return await _change(w, job_id, at_us, JobRow.state == "running", progress=progress)


async def note_result(w: WriteSession, job_id: UUID, result: str, at_us: int) -> bool:
    """Keep the result of a running job that has none yet; False when it has one, or is over meanwhile."""
    return await _change(w, job_id, at_us, JobRow.state == "running", JobRow.result.is_(None), result=result)


async def end_job(w: WriteSession, job_id: UUID, state: JobState, at_us: int, **values: str | float | None) -> bool:
    """End a job that waits or runs; False when it is over already."""
    return await _change(w, job_id, at_us, _is_open(), state=state, **values)


async def cancel_job(w: WriteSession, job_id: UUID, at_us: int) -> bool:
    """Cancel a job that has no result yet; False when it is too late."""
    return await _change(w, job_id, at_us, _is_open(), JobRow.result.is_(None), state="cancelled")


async def add_log(w: WriteSession, job_id: UUID, result: str, at_us: int) -> None:
    """Keep what is known of a job that came to nothing."""
    await _change(w, job_id, at_us, JobRow.result.is_(None), result=result)


def _is_open() -> ColumnElement[bool]:
    return JobRow.state.in_(("waiting", "running"))


_ANY = Look(select(THERE).where(JobRow.kind == bindparam("kind"), _is_open()).limit(1))


async def _change(
    w: WriteSession, job_id: UUID, at_us: int, *wanted: ColumnElement[bool], **values: str | float | None
) -> bool:
    statement = update(JobRow).where(JobRow.id == job_id, *wanted).values(changed_us=at_us, **values)
    return bool((await w.execute(statement)).rowcount == 1)  # type: ignore[attr-defined]
