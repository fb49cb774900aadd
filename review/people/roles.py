"""Giving and taking roles, and shutting people out; each change is an event, and one admin always remains."""

from typing import get_args
from uuid import UUID

from gateway.access.roles import Role
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from review.actors import Actor
from review.people.errors import LastAdmin, NobodyThere, NoSuchModel, UnknownRole
from review.store.people import (
    Grant,
    Person,
    add_grant,
    count_admins,
    drop_grant,
    find_model_id,
    find_person_by_email,
    revoke_keys_of,
    set_disabled,
    set_replayed,
)


async def person_with(r: ReadSession, email: str) -> Person:
    """The person with this address. Raises: NobodyThere."""
    person = await find_person_by_email(r, email.strip().lower())
    if person is None:
        raise NobodyThere(email=email[:320])
    return person


async def grant_role(w: WriteSession, actor: Actor, email: str, role: str, model: str | None) -> None:
    """Give a role, for all models or one. Raises: NobodyThere, UnknownRole, NoSuchModel."""
    person = await person_with(w, email)
    grant = await _grant(w, actor.tenant_id, role, model)
    if await add_grant(w, person_id=person.id, grant=grant, tenant_id=actor.tenant_id, by=actor.by):
        await _tell(w, "role.granted", actor, person, {"role": role, "model": model})


async def revoke_role(w: WriteSession, actor: Actor, email: str, role: str, model: str | None) -> None:
    """Take a role away. Raises: NobodyThere, UnknownRole, NoSuchModel, LastAdmin."""
    person = await person_with(w, email)
    grant = await _grant(w, actor.tenant_id, role, model)
    if not await drop_grant(w, person_id=person.id, grant=grant, tenant_id=actor.tenant_id):
        return
    await _keep_an_admin(w, person)
    await _tell(w, "role.revoked", actor, person, {"role": role, "model": model})


async def disable(w: WriteSession, actor: Actor, email: str) -> None:
    """Shut a person out, with sessions and keys. Raises: NobodyThere, LastAdmin."""
    person = await person_with(w, email)
    now = await w.now_us()
    await set_disabled(w, person.id, actor.tenant_id, now)
    await revoke_keys_of(w, person.id, now)
    await _keep_an_admin(w, person)
    await _tell(w, "person.disabled", actor, person, {})


async def enable(w: WriteSession, actor: Actor, email: str) -> None:
    """Let a person in again; keys stay revoked. Raises: NobodyThere."""
    person = await person_with(w, email)
    await set_disabled(w, person.id, actor.tenant_id, None)
    await _tell(w, "person.enabled", actor, person, {})


async def mark_replayed(w: WriteSession, actor: Actor, email: str) -> None:
    """Mark somebody's verdicts, past and future, as repeated from elsewhere. Raises: NobodyThere."""
    person = await person_with(w, email)
    await set_replayed(w, person.id)
    await _tell(w, "person.marked_replayed", actor, person, {})


def checked_roles(roles: list[str]) -> tuple[Role, ...]:
    """The roles, each once. Raises: UnknownRole."""
    for role in roles:
        if role not in get_args(Role):
            raise UnknownRole(role=role)
    return tuple(dict.fromkeys(roles))  # type: ignore[arg-type]


async def _grant(r: ReadSession, tenant_id: UUID, role: str, model: str | None) -> Grant:
    (known,) = checked_roles([role])
    if model is None:
        return Grant(role=known)
    model_id = await find_model_id(r, tenant_id, model)
    if model_id is None:
        raise NoSuchModel(model=model)
    return Grant(role=known, model_id=model_id, model=model)


async def _keep_an_admin(w: WriteSession, person: Person) -> None:
    """Refuse, and so roll back, what would leave nobody to administer."""
    if await count_admins(w) == 0:
        raise LastAdmin(name=person.name)


async def _tell(w: WriteSession, type_: str, actor: Actor, person: Person, data: dict[str, str | None]) -> None:
    subject = f"person:{person.email}"
    await append_event(w, type_, subject, data, by=actor.by, tenant_id=actor.tenant_id, at_us=await w.now_us())
