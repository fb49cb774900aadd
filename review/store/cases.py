"""The SQL of cases: lock one, save it with a higher version, find those that a person may claim or that are due."""

import itertools
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.sql import Select

from gateway.labels import Answer
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import Look
from gateway.store.schema.columns import Table, Uuid
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.who import ApiKeyRow
from gateway.store.schema.work import (
    IN_LINE,
    CaseKind,
    CaseRow,
    CaseState,
    ClaimRow,
    ClosedReason,
    QueueMemberRow,
    QueueRevisionRow,
    VerdictRow,
)
from gateway.trial import trial_rule
from review.desk.pair import Pair, pair_of
from review.errors import StaleCase, UnknownCase

LINE = (CaseRow.priority, CaseRow.due_us, CaseRow.id)
"""The order in which cases come up."""
MUTABLE = (
    "version",
    "state",
    "round",
    "next_token",
    "priority",
    "due_us",
    "caller_waiting",
    "closed_reason",
    "changed_us",
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One item put before people, as far as its life is concerned."""

    id: UUID
    tenant_id: UUID
    prediction_id: UUID
    item: int
    kind: CaseKind
    queue_id: UUID
    model_id: UUID
    release_id: UUID
    other_release_id: UUID | None
    """For a disagreement: the release in the shadow."""
    evidence: dict[str, Answer]
    draw: float | None
    answer: Answer | None
    """The model's answer, in the terms of the label schema."""
    blind: bool
    priority: int
    state: CaseState
    round: int
    version: int
    next_token: int
    due_us: int
    caller_waiting: bool
    closed_reason: ClosedReason | None
    changed_us: int

    @property
    def pair(self) -> Pair | None:
        """The two unnamed answers of a disagreement."""
        return pair_of(self.release_id, self.other_release_id, self.answer, self.evidence, self.draw)


_SELECT = select(*(getattr(CaseRow, name) for name in Case.__struct_fields__))


_TABLE = Table.metadata.tables["case"]
_UPDATE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("case_id", type_=Uuid), _TABLE.c.version == bindparam("seen"))
    .values({name: bindparam(name) for name in MUTABLE})
)
"""Built once on the plain table: every transition runs it, and the mapper would double its cost."""


async def read_case(r: ReadSession, case_id: UUID, tenant_id: UUID) -> Case:
    """The case. Raises: UnknownCase, also for another tenant's."""
    return _case((await r.execute(_one(case_id, tenant_id))).one_or_none())


async def lock_case(w: WriteSession, case_id: UUID, tenant_id: UUID | None = None) -> Case:
    """The case, whose row nobody else changes before this transaction ends. Raises: UnknownCase."""
    statement = _one(case_id, tenant_id)
    return _case((await w.execute(statement.with_for_update() if w.locks_rows else statement)).one_or_none())


async def lock_free_cases(w: WriteSession, ids: Collection[UUID], limit: int | None = None) -> list[Case]:
    """The first `limit` of the cases that no other transaction has locked, in the order of the line, locked now."""
    if not ids:
        return []
    statement = _SELECT.where(CaseRow.id.in_(ids)).order_by(*LINE).limit(limit)
    if w.locks_rows:
        statement = statement.with_for_update(skip_locked=True)
    return [_case(row) for row in await w.execute(statement)]


async def save_case(w: WriteSession, before: Case, after: Case) -> Case:
    """Write what may change and raise the version. Raises: StaleCase when somebody else changed the case meanwhile."""
    saved = msgspec.structs.replace(after, version=before.version + 1)
    changes = {name: getattr(saved, name) for name in MUTABLE}
    changed = await w.execute(_UPDATE, changes | {"case_id": before.id, "seen": before.version})
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleCase
    return saved


def _one(case_id: UUID, tenant_id: UUID | None) -> Select[Any]:
    statement = _SELECT.where(CaseRow.id == case_id)
    return statement if tenant_id is None else statement.where(CaseRow.tenant_id == tenant_id)


def _case(row: Row[Any] | None) -> Case:
    if row is None:
        raise UnknownCase
    values = dict(row._mapping)
    answer, evidence = values.pop("answer"), values.pop("evidence")
    return Case(
        **values,
        answer=None if answer is None else msgspec.json.decode(answer),
        evidence=msgspec.json.decode(evidence),
    )


# The line ------------------------------------------------------------------------------------------------------------

_SLOTS = func.coalesce(
    select(QueueRevisionRow.k)
    .where(QueueRevisionRow.id == CaseRow.queue_revision_id, QueueRevisionRow.agreement != "single")
    .scalar_subquery(),
    1,
)


async def claimable(
    r: ReadSession, person_id: UUID, queues: Sequence[UUID], *, now_us: int, limit: int, tried: Collection[UUID] = ()
) -> list[UUID]:
    """The cases at the head of the queues that the person may claim, first come first, without those already tried.

    Each queue is read by its index of the line, and only the heads are merged; a condition on several queues at once
    would sort every open case.
    """
    asked = {"person_id": person_id, "now_us": now_us, "limit": limit, "tried": list(tried)}
    heads = [(await r.execute(_HEAD, asked | {"queue_id": queue_id})).all() for queue_id in queues]
    return [row.id for row in sorted(itertools.chain(*heads), key=tuple)[:limit]]


def _live(now_us: ColumnElement[int] | int) -> ColumnElement[bool]:
    return and_(
        ClaimRow.case_id == CaseRow.id,
        ClaimRow.round == CaseRow.round,
        ClaimRow.ended_us.is_(None),
        ClaimRow.expires_us > now_us,
    )


def _head() -> Select[int, int, UUID]:
    """The head of one queue's line for one person; built once, because building it costs more than running it."""
    me: BindParameter[UUID] = bindparam("person_id", type_=Uuid)
    now_us: BindParameter[int] = bindparam("now_us", type_=BigInteger)
    judged = exists().where(
        VerdictRow.case_id == CaseRow.id, VerdictRow.round == CaseRow.round, VerdictRow.person_id == me
    )
    own_traffic = (
        exists()
        .where(PredictionRow.id == CaseRow.prediction_id, ApiKeyRow.id == PredictionRow.api_key_id)
        .where(ApiKeyRow.person_id == me, ModelRow.id == CaseRow.model_id, ModelRow.four_eyes)
    )
    claimed = exists().where(_live(now_us), ClaimRow.person_id == me)
    return (
        select(*LINE)
        .where(CaseRow.queue_id == bindparam("queue_id", type_=Uuid))
        .where(text(f'"case".{IN_LINE}'))  # written out, for the index of the line holds only these rows
        .where(~judged, ~own_traffic, or_(CaseRow.state == "open", and_(~claimed, _taken(now_us) < _SLOTS)))
        .where(CaseRow.id.not_in(bindparam("tried", type_=Uuid, expanding=True)))
        .order_by(*LINE)
        .limit(bindparam("limit", type_=Integer))
    )


def _taken(now_us: ColumnElement[int]) -> ColumnElement[int]:
    """How many slots of the round have a live claim or a ballot."""
    live = select(func.count()).select_from(ClaimRow).where(_live(now_us)).scalar_subquery()
    ballots = (
        select(func.count())
        .select_from(VerdictRow)
        .where(VerdictRow.case_id == CaseRow.id, VerdictRow.round == CaseRow.round, VerdictRow.kind != "cannot_tell")
        .scalar_subquery()
    )
    return live + ballots


_HEAD = _head()

# What is due ---------------------------------------------------------------------------------------------------------


async def any_to_end(ledger: Ledger, now_us: int) -> bool:
    """Whether some case is overdue, or stranded. Raises: LedgerUnavailable."""
    asked = {"now_us": now_us, "limit": 1}
    return bool(await ledger.look(_LOOK_OVERDUE, **asked) or await ledger.look(_LOOK_STRANDED, **asked))


async def overdue_cases(r: ReadSession, now_us: int, limit: int) -> list[UUID]:
    """Undecided cases past due on which nobody has a live claim, the longest overdue first."""
    return list((await r.execute(_OVERDUE, {"now_us": now_us, "limit": limit})).scalars())


async def stranded_cases(r: ReadSession, now_us: int, limit: int) -> list[UUID]:
    """Partial cases with no live claim that every present member of their queue has judged this round."""
    return list((await r.execute(_STRANDED, {"now_us": now_us, "limit": limit})).scalars())


def _overdue() -> Select[UUID]:
    now_us: BindParameter[int] = bindparam("now_us", type_=BigInteger)
    return (
        select(CaseRow.id)
        .where(CaseRow.state.in_(("open", "claimed", "partial", "adjudicating")), CaseRow.due_us <= now_us)
        .where(~exists().where(_live(now_us)))
        .order_by(CaseRow.due_us)
        .limit(bindparam("limit", type_=Integer))
    )


def _stranded() -> Select[UUID]:
    now_us: BindParameter[int] = bindparam("now_us", type_=BigInteger)
    judged = exists().where(
        VerdictRow.case_id == CaseRow.id,
        VerdictRow.round == CaseRow.round,
        VerdictRow.person_id == QueueMemberRow.person_id,
    )
    left = exists().where(QueueMemberRow.queue_id == CaseRow.queue_id, ~judged.correlate(CaseRow, QueueMemberRow))
    return (
        select(CaseRow.id)
        .where(CaseRow.state == "partial", ~exists().where(_live(now_us)), ~left)
        .order_by(CaseRow.due_us)
        .limit(bindparam("limit", type_=Integer))
    )


_OVERDUE, _STRANDED = _overdue(), _stranded()
_LOOK_OVERDUE, _LOOK_STRANDED = Look(_OVERDUE), Look(_STRANDED, indexed=False)
_MOOT = (
    select(CaseRow.id)
    .where(CaseRow.state.in_(("open", "claimed", "partial", "adjudicating", "expired")))
    .where(CaseRow.kind == "disagreement", CaseRow.rule.startswith(trial_rule("")))
)
_LOOK_UNDECIDED = Look(_MOOT.limit(1), indexed=False)


async def any_disagreement(ledger: Ledger) -> bool:
    """Whether some disagreement of a trial is undecided. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_LOOK_UNDECIDED))


async def moot_disagreements(r: ReadSession, trials: Collection[UUID], limit: int) -> list[UUID]:
    """Undecided disagreements of other trials than these."""
    statement = _MOOT.where(CaseRow.rule.not_in([trial_rule(str(trial)) for trial in trials]))
    return list((await r.execute(statement.limit(limit))).scalars())


async def cases_of(r: ReadSession, prediction_id: UUID) -> list[Case]:
    """All cases of a prediction, by item."""
    statement = _SELECT.where(CaseRow.prediction_id == prediction_id).order_by(CaseRow.item, CaseRow.kind)
    return [_case(row) for row in await r.execute(statement)]
