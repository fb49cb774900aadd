"""The SQL of verdicts, which are immutable, and of drafts."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from gateway.labels import Answer
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.work import DraftRow, VerdictKind, VerdictRow
from review.desk.pair import Choice


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the reviewer saw beside the input."""

    blind: bool
    answer: Answer | None = None
    """The model's answer, when it was shown."""
    order: tuple[str, ...] = ()
    """For a disagreement: the ids of the releases in the order in which their answers stood."""
    answers: tuple[Answer | None, ...] = ()
    """The two answers of a disagreement in that order."""
    chosen: str = ""
    """What was said of the two: `first`, `second`, `both` or `neither`."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One reviewer's judgement."""

    id: UUID
    case_id: UUID
    round: int
    person_id: UUID
    claim_id: UUID
    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    shown: Shown
    guideline: str
    """The SHA-256 of the guideline in force."""
    active_s: float
    adjudicated: bool
    only_lead: bool
    undoes_id: UUID | None
    post_key: str
    created_us: int


_SELECT = select(*(getattr(VerdictRow, name) for name in Verdict.__struct_fields__))


async def insert_verdict(w: WriteSession, verdict: Verdict) -> None:
    """Write a verdict; nothing changes it afterwards."""
    values = msgspec.structs.asdict(verdict)
    values["answer"] = None if verdict.answer is None else msgspec.json.encode(verdict.answer).decode()
    values["shown"] = msgspec.json.encode(verdict.shown).decode()
    await w.execute(insert(VerdictRow).values(**values))


async def verdicts_of(r: ReadSession, case_id: UUID) -> list[Verdict]:
    """All verdicts on a case, of every round, in the order in which they were given."""
    statement = _SELECT.where(VerdictRow.case_id == case_id).order_by(VerdictRow.created_us, VerdictRow.id)
    return [_verdict(row) for row in await r.execute(statement)]


async def verdict_by_post_key(r: ReadSession, person_id: UUID, post_key: str) -> Verdict | None:
    """The verdict that the person posted with this key, if any."""
    statement = _SELECT.where(VerdictRow.person_id == person_id, VerdictRow.post_key == post_key)
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else _verdict(row)


async def recent_verdicts(r: ReadSession, person_id: UUID, limit: int) -> list[Verdict]:
    """A person's latest verdicts, the newest first."""
    statement = (
        _SELECT.where(VerdictRow.person_id == person_id)
        .order_by(VerdictRow.created_us.desc(), VerdictRow.id.desc())
        .limit(limit)
    )
    return [_verdict(row) for row in await r.execute(statement)]


def _verdict(row: Row[Any]) -> Verdict:
    values = dict(row._mapping)
    answer, shown = values.pop("answer"), values.pop("shown")
    return Verdict(
        **values,
        answer=None if answer is None else msgspec.json.decode(answer),
        shown=msgspec.json.decode(shown, type=Shown),
    )


# Drafts --------------------------------------------------------------------------------------------------------------


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that is not finished or came too late."""

    kind: VerdictKind | Choice | None = None
    answer: Answer | None = None
    reason_code: str = ""
    rationale: str | None = None


class KeptDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with why and when it was kept."""

    draft: Draft
    why: str
    saved_us: int


async def keep_draft(w: WriteSession, case_id: UUID, person_id: UUID, draft: Draft, why: str, at_us: int) -> None:
    """Keep the person's one draft for the case, in place of an earlier one."""
    body = msgspec.json.encode(draft).decode()
    mine = (DraftRow.case_id == case_id, DraftRow.person_id == person_id)
    kept = await w.execute(update(DraftRow).where(*mine).values(body=body, why=why, saved_us=at_us))
    if kept.rowcount == 0:  # type: ignore[attr-defined]
        values = {"case_id": case_id, "person_id": person_id, "body": body, "why": why, "saved_us": at_us}
        await w.execute(insert(DraftRow).values(**values))


async def drop_draft(w: WriteSession, case_id: UUID, person_id: UUID) -> None:
    """Forget the person's draft for the case."""
    await w.execute(delete(DraftRow).where(DraftRow.case_id == case_id, DraftRow.person_id == person_id))


async def draft_of(r: ReadSession, case_id: UUID, person_id: UUID) -> KeptDraft | None:
    """The person's draft for the case, if any."""
    statement = select(DraftRow).where(DraftRow.case_id == case_id, DraftRow.person_id == person_id)
    row = (await r.execute(statement)).scalar_one_or_none()
    if row is None:
        return None
    return KeptDraft(draft=msgspec.json.decode(row.body, type=Draft), why=row.why, saved_us=row.saved_us)
