"""The SQL of claims: a reviewer's lease on a slot of a case, with a fencing token."""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Row, bindparam, insert, select, update

from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.schema.columns import Table
from gateway.store.schema.work import ClaimRow

EndedWhy = Literal["verdict", "returned", "expired", "decided", "closed"]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A lease on a slot of a case."""

    id: UUID
    case_id: UUID
    round: int
    slot: int
    """From 1 to the number of slots of a round; 0 for a lead who adjudicates."""
    person_id: UUID
    token: int
    claimed_us: int
    expires_us: int
    ended_us: int | None = None
    ended_why: EndedWhy | None = None

    def live(self, now_us: int) -> bool:
        """Whether it has neither ended nor expired."""
        return self.ended_us is None and self.expires_us > now_us


_SELECT = select(*(getattr(ClaimRow, name) for name in Claim.__struct_fields__))
_INSERT = insert(Table.metadata.tables["claim"])
"""Built once on the plain table: a claim is on the path of every card, and the mapper would double its cost."""


async def insert_claim(w: WriteSession, claim: Claim) -> None:
    """Write a new claim."""
    await w.execute(_INSERT, msgspec.structs.asdict(claim))


async def end_claims(w: WriteSession, ids: Collection[UUID], why: EndedWhy, at_us: int) -> None:
    """End those of the claims that have not ended yet."""
    if ids:
        statement = update(ClaimRow).where(ClaimRow.id.in_(ids), ClaimRow.ended_us.is_(None))
        await w.execute(statement.values(ended_us=at_us, ended_why=why))


async def extend_claim(w: WriteSession, claim_id: UUID, expires_us: int) -> None:
    """Give a claim a later expiry."""
    await w.execute(update(ClaimRow).where(ClaimRow.id == claim_id).values(expires_us=expires_us))


async def claim_by_id(r: ReadSession, claim_id: UUID) -> Claim | None:
    """The claim, if there is one."""
    row = (await r.execute(_SELECT.where(ClaimRow.id == claim_id))).one_or_none()
    return None if row is None else _claim(row)


async def unended_claims(r: ReadSession, case_id: UUID) -> list[Claim]:
    """The claims on a case that have not ended, whether or not they have expired; by token."""
    statement = _SELECT.where(ClaimRow.case_id == case_id, ClaimRow.ended_us.is_(None))
    return [_claim(row) for row in await r.execute(statement.order_by(ClaimRow.token))]


async def slots_of(r: ReadSession, ids: Sequence[UUID]) -> set[int]:
    """The slots of these claims."""
    return set((await r.execute(select(ClaimRow.slot).where(ClaimRow.id.in_(ids)))).scalars()) if ids else set()


async def live_claims_of(r: ReadSession, person_id: UUID, now_us: int) -> list[Claim]:
    """A person's live claims, oldest first."""
    statement = _SELECT.where(
        ClaimRow.person_id == person_id, ClaimRow.ended_us.is_(None), ClaimRow.expires_us > now_us
    )
    return [_claim(row) for row in await r.execute(statement.order_by(ClaimRow.claimed_us, ClaimRow.id))]


_EXPIRED = Look(
    select(THERE)
    .where(ClaimRow.ended_us.is_(None), ClaimRow.expires_us <= bindparam("now_us", type_=BigInteger))
    .limit(1)
)


async def any_expired(ledger: Ledger, now_us: int) -> bool:
    """Whether some claim has expired and not ended. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_EXPIRED, now_us=now_us))


async def expired_cases(r: ReadSession, now_us: int, limit: int) -> list[UUID]:
    """Cases with a claim that has expired and not ended."""
    statement = (
        select(ClaimRow.case_id)
        .where(ClaimRow.ended_us.is_(None), ClaimRow.expires_us <= now_us)
        .distinct()
        .limit(limit)
    )
    return list((await r.execute(statement)).scalars())


def _claim(row: Row[Any]) -> Claim:
    return Claim(**row._mapping)
