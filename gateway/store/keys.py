"""The SQL of keys."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from gateway.access.keys import MadeKey
from gateway.ids import new_id
from gateway.plan import Caller
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.plans import bump_plan
from gateway.store.schema.who import ApiKeyRow, GrantRow, PersonRow


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as people see it: everything but its text."""

    id: UUID
    name: str
    hint: str
    person_id: UUID | None
    scopes: tuple[str, ...]
    created_us: int
    expires_us: int | None
    revoked_us: int | None


async def add_key(
    w: WriteSession,
    made: MadeKey,
    *,
    tenant_id: UUID,
    name: str,
    scopes: tuple[str, ...],
    person_id: UUID | None,
    expires_us: int | None,
) -> UUID:
    """Keep a key's hash; every gateway knows it with its next plan. Returns the key's id."""
    key_id = new_id()
    await w.execute(
        insert(ApiKeyRow).values(
            id=key_id,
            tenant_id=tenant_id,
            person_id=person_id,
            name=name,
            sha256=made.sha256,
            hint=made.hint,
            scopes=msgspec.json.encode(scopes).decode(),
            expires_us=expires_us,
            revoked_us=None,
            created_us=await w.now_us(),
        )
    )
    await bump_plan(w, tenant_id)
    return key_id


async def revoke_key(w: WriteSession, tenant_id: UUID, key_id: UUID, at_us: int) -> bool:
    """Revoke a key from a moment on, at most once earlier than it was; False when there is no such key."""
    live = (ApiKeyRow.revoked_us.is_(None)) | (ApiKeyRow.revoked_us > at_us)
    statement = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.tenant_id == tenant_id, live)
    await w.execute(statement.values(revoked_us=at_us))
    await bump_plan(w, tenant_id)
    return await find_key(w, tenant_id, key_id) is not None


async def find_key(r: ReadSession, tenant_id: UUID, key_id: UUID) -> Key | None:
    """The key with this id."""
    row = await r.get(ApiKeyRow, key_id, populate_existing=True)
    return _key(row) if row is not None and row.tenant_id == tenant_id else None


async def list_keys(r: ReadSession, tenant_id: UUID, person_id: UUID | None = None) -> list[Key]:
    """The keys of a tenant, or of one person, newest first."""
    statement = select(ApiKeyRow).where(ApiKeyRow.tenant_id == tenant_id)
    if person_id is not None:
        statement = statement.where(ApiKeyRow.person_id == person_id)
    rows = (await r.execute(statement.order_by(ApiKeyRow.created_us.desc(), ApiKeyRow.id.desc()))).scalars()
    return [_key(row) for row in rows]


async def live_callers(r: ReadSession, now_us: int) -> dict[bytes, Caller]:
    """Every key that works now, by its SHA-256; a key of a disabled person does not."""
    statement = (
        select(ApiKeyRow)
        .outerjoin(PersonRow, PersonRow.id == ApiKeyRow.person_id)
        .where(_works_at(now_us), PersonRow.disabled_us.is_(None))
    )
    return {bytes.fromhex(row.sha256): _caller(row) for row in (await r.execute(statement)).scalars()}


async def find_caller(r: ReadSession, sha256: str, now_us: int) -> Caller | None:
    """The caller whose key has this digest, while the key works."""
    statement = (
        select(ApiKeyRow)
        .outerjoin(PersonRow, PersonRow.id == ApiKeyRow.person_id)
        .where(ApiKeyRow.sha256 == sha256, _works_at(now_us), PersonRow.disabled_us.is_(None))
    )
    row = (await r.execute(statement)).scalar_one_or_none()
    return _caller(row) if row is not None else None


async def operates(r: ReadSession, caller: Caller, model_id: UUID) -> bool:
    """Whether the key has the scope `operate`, or its person the role of an operator for this model or for all."""
    if "operate" in caller.scopes:
        return True
    where = GrantRow.model_id.is_(None) | (GrantRow.model_id == model_id)
    granted = select(GrantRow.id).where(
        GrantRow.person_id == caller.person_id,
        GrantRow.tenant_id == caller.tenant_id,
        GrantRow.role == "operator",
        where,
    )
    return (await r.execute(granted.limit(1))).first() is not None


def _works_at(now_us: int) -> Any:
    unexpired = ApiKeyRow.expires_us.is_(None) | (ApiKeyRow.expires_us > now_us)
    return unexpired & (ApiKeyRow.revoked_us.is_(None) | (ApiKeyRow.revoked_us > now_us))


def _caller(row: ApiKeyRow) -> Caller:
    ends = [moment for moment in (row.expires_us, row.revoked_us) if moment is not None]
    return Caller(
        key_id=row.id,
        key_name=row.name,
        tenant_id=row.tenant_id,
        person_id=row.person_id,
        scopes=frozenset(msgspec.json.decode(row.scopes, type=list[str])),
        expires_us=min(ends, default=None),
    )


def _key(row: ApiKeyRow) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        hint=row.hint,
        person_id=row.person_id,
        scopes=tuple(msgspec.json.decode(row.scopes, type=list[str])),
        created_us=row.created_us,
        expires_us=row.expires_us,
        revoked_us=row.revoked_us,
    )
