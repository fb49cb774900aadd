"""The SQL of people, their roles, sessions and invitations."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, insert, select, update

from gateway.access.roles import Role
from gateway.ids import new_id
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.plans import bump_plan
from gateway.store.queues import JUDGES, join_default_queue
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.who import ApiKeyRow, GrantRow, InvitationRow, PersonRow, SessionRow, TenantRow


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role, for all models or for one."""

    role: Role
    model_id: UUID | None = None
    model: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person who signs in."""

    id: UUID
    name: str
    email: str
    grants: tuple[Grant, ...]
    replayed: bool
    disabled_us: int | None
    created_us: int


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a link that still works gives."""

    sha256: str
    tenant_id: UUID
    person_id: UUID | None
    roles: tuple[Role, ...]
    by: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser."""

    sha256: str
    person_id: UUID
    csrf: str
    expires_us: int


async def default_tenant(r: ReadSession) -> UUID:
    """The tenant that everybody belongs to while there is one."""
    return (await r.execute(select(TenantRow.id).order_by(TenantRow.created_us, TenantRow.id).limit(1))).scalar_one()


async def add_person(w: WriteSession, *, name: str, email: str, password_hash: str | None, replayed: bool) -> UUID:
    """A new person without roles; returns the id."""
    person_id = new_id()
    await w.execute(
        insert(PersonRow).values(
            id=person_id,
            name=name,
            email=email,
            password_hash=password_hash,
            preferences=None,
            replayed=replayed,
            disabled_us=None,
            created_us=await w.now_us(),
        )
    )
    return person_id


async def find_person(r: ReadSession, person_id: UUID) -> Person | None:
    """The person with this id."""
    people = await _people(r, PersonRow.id == person_id)
    return people[0] if people else None


async def find_person_by_email(r: ReadSession, email: str) -> Person | None:
    """The person with this address."""
    people = await _people(r, PersonRow.email == email)
    return people[0] if people else None


async def list_people(r: ReadSession) -> list[Person]:
    """Everybody, by name."""
    return await _people(r, PersonRow.id.is_not(None))


async def password_of(r: ReadSession, email: str) -> tuple[UUID, str | None] | None:
    """Id and password hash of somebody who is not disabled."""
    statement = select(PersonRow.id, PersonRow.password_hash)
    found = (await r.execute(statement.where(PersonRow.email == email, PersonRow.disabled_us.is_(None)))).one_or_none()
    return (found.id, found.password_hash) if found is not None else None


async def set_password(w: WriteSession, person_id: UUID, password_hash: str) -> None:
    """Keep a new password; who is signed in with the old one is signed out."""
    await w.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=password_hash))
    await w.execute(delete(SessionRow).where(SessionRow.person_id == person_id))


async def set_disabled(w: WriteSession, person_id: UUID, tenant_id: UUID, disabled_us: int | None) -> None:
    """Shut a person out from a moment on, with sessions and keys, or let them in again."""
    await w.execute(update(PersonRow).where(PersonRow.id == person_id).values(disabled_us=disabled_us))
    await w.execute(delete(SessionRow).where(SessionRow.person_id == person_id))
    await bump_plan(w, tenant_id)


async def set_replayed(w: WriteSession, person_id: UUID) -> None:
    """Mark a person as one whose verdicts are repeated from elsewhere."""
    await w.execute(update(PersonRow).where(PersonRow.id == person_id).values(replayed=True))


async def count_admins(r: ReadSession) -> int:
    """How many people who can sign in are admins."""
    statement = select(func.count(GrantRow.person_id.distinct())).join(PersonRow, PersonRow.id == GrantRow.person_id)
    return (await r.execute(statement.where(GrantRow.role == "admin", PersonRow.disabled_us.is_(None)))).scalar_one()


async def add_grant(w: WriteSession, *, person_id: UUID, grant: Grant, tenant_id: UUID, by: str) -> bool:
    """Give a role; False when the person has it already. Who may judge becomes a member of the default queue."""
    found = await w.execute(select(GrantRow.id).where(*_this_grant(person_id, grant, tenant_id)))
    if found.first() is not None:
        return False
    await w.execute(
        insert(GrantRow).values(
            id=new_id(),
            person_id=person_id,
            role=grant.role,
            tenant_id=tenant_id,
            model_id=grant.model_id,
            by=by,
            created_us=await w.now_us(),
        )
    )
    if grant.role in JUDGES:
        await join_default_queue(w, tenant_id, person_id)
    return True


async def drop_grant(w: WriteSession, *, person_id: UUID, grant: Grant, tenant_id: UUID) -> bool:
    """Take a role away; False when the person did not have it."""
    dropped = await w.execute(delete(GrantRow).where(*_this_grant(person_id, grant, tenant_id)))
    return bool(dropped.rowcount)  # type: ignore[attr-defined]


async def find_model_id(r: ReadSession, tenant_id: UUID, name: str) -> UUID | None:
    """The model with this name."""
    statement = select(ModelRow.id).where(ModelRow.tenant_id == tenant_id, ModelRow.name == name)
    return (await r.execute(statement)).scalar_one_or_none()


async def add_invitation(w: WriteSession, invitation: Invitation, expires_us: int) -> None:
    """Keep the hash of a single-use link."""
    await w.execute(
        insert(InvitationRow).values(
            sha256=invitation.sha256,
            tenant_id=invitation.tenant_id,
            person_id=invitation.person_id,
            roles=msgspec.json.encode(invitation.roles).decode(),
            by=invitation.by,
            created_us=await w.now_us(),
            expires_us=expires_us,
            used_us=None,
        )
    )


async def find_invitation(r: ReadSession, sha256: str, now_us: int) -> Invitation | None:
    """What the link gives, while it works."""
    row = (await r.execute(select(InvitationRow).where(*_open(sha256, now_us)))).scalar_one_or_none()
    if row is None:
        return None
    return Invitation(
        sha256=row.sha256,
        tenant_id=row.tenant_id,
        person_id=row.person_id,
        roles=tuple(msgspec.json.decode(row.roles, type=list[Role])),
        by=row.by,
    )


async def use_invitation(w: WriteSession, sha256: str, now_us: int) -> bool:
    """Use a link up; False when somebody else was faster or its time is over."""
    used = await w.execute(update(InvitationRow).where(*_open(sha256, now_us)).values(used_us=now_us))
    return bool(used.rowcount)  # type: ignore[attr-defined]


async def add_session(w: WriteSession, session: Session) -> None:
    """Keep the hash of a signed-in browser's cookie."""
    await w.execute(
        insert(SessionRow).values(
            sha256=session.sha256,
            person_id=session.person_id,
            csrf=session.csrf,
            created_us=await w.now_us(),
            expires_us=session.expires_us,
        )
    )


async def find_session(r: ReadSession, sha256: str, now_us: int) -> Session | None:
    """The session of a cookie's hash, while it lasts and its person is not disabled."""
    statement = (
        select(SessionRow)
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .where(SessionRow.sha256 == sha256, SessionRow.expires_us > now_us, PersonRow.disabled_us.is_(None))
    )
    row = (await r.execute(statement)).scalar_one_or_none()
    if row is None:
        return None
    return Session(sha256=row.sha256, person_id=row.person_id, csrf=row.csrf, expires_us=row.expires_us)


async def drop_session(w: WriteSession, sha256: str) -> None:
    """Sign a browser out."""
    await w.execute(delete(SessionRow).where(SessionRow.sha256 == sha256))


async def drop_old_sessions(w: WriteSession, now_us: int) -> None:
    """Forget the sessions whose time is over."""
    await w.execute(delete(SessionRow).where(SessionRow.expires_us <= now_us))


async def revoke_keys_of(w: WriteSession, person_id: UUID, at_us: int) -> None:
    """Revoke every key of a person."""
    live = update(ApiKeyRow).where(ApiKeyRow.person_id == person_id, ApiKeyRow.revoked_us.is_(None))
    await w.execute(live.values(revoked_us=at_us))


def _open(sha256: str, now_us: int) -> tuple[Any, ...]:
    return InvitationRow.sha256 == sha256, InvitationRow.used_us.is_(None), InvitationRow.expires_us > now_us


def _this_grant(person_id: UUID, grant: Grant, tenant_id: UUID) -> tuple[Any, ...]:
    where = GrantRow.model_id.is_(None) if grant.model_id is None else GrantRow.model_id == grant.model_id
    return GrantRow.person_id == person_id, GrantRow.role == grant.role, GrantRow.tenant_id == tenant_id, where


async def _people(r: ReadSession, condition: Any) -> list[Person]:
    rows = list((await r.execute(select(PersonRow).where(condition).order_by(PersonRow.name, PersonRow.id))).scalars())
    grants = await _grants(r, [row.id for row in rows])
    return [
        Person(
            id=row.id,
            name=row.name,
            email=row.email,
            grants=tuple(grants.get(row.id, ())),
            replayed=row.replayed,
            disabled_us=row.disabled_us,
            created_us=row.created_us,
        )
        for row in rows
    ]


async def _grants(r: ReadSession, people: list[UUID]) -> dict[UUID, list[Grant]]:
    statement = (
        select(GrantRow.person_id, GrantRow.role, GrantRow.model_id, ModelRow.name)
        .outerjoin(ModelRow, ModelRow.id == GrantRow.model_id)
        .where(GrantRow.person_id.in_(people))
        .order_by(GrantRow.role, ModelRow.name)
    )
    found: dict[UUID, list[Grant]] = {}
    for person_id, role, model_id, model in await r.execute(statement):
        found.setdefault(person_id, []).append(Grant(role=role, model_id=model_id, model=model))
    return found
