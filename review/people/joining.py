"""Joining by a link that works once, for a limited time; of it, too, only the hash is kept."""

import asyncio
import re
import secrets
from uuid import UUID

import msgspec

from gateway.access.keys import digest
from gateway.access.passwords import hash_password
from gateway.access.roles import Role
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.times import after_us
from review.people.errors import AddressTaken, InvitationOver, NameMissing, WrongAddress
from review.store.people import (
    Grant,
    Invitation,
    Person,
    add_grant,
    add_invitation,
    add_person,
    count_admins,
    default_tenant,
    find_invitation,
    find_person,
    find_person_by_email,
    set_password,
    use_invitation,
)

FIRST_ADMIN_S = 900.0
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.?[^@\s]*")


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says who follows a link."""

    name: str
    email: str
    password: str


async def invite(
    w: WriteSession,
    *,
    tenant_id: UUID,
    roles: tuple[Role, ...],
    by: str,
    for_s: float,
    person_id: UUID | None = None,
) -> str:
    """The token of a fresh link: for somebody new, or for a person who shall choose a password again."""
    token = secrets.token_urlsafe(32)
    now = await w.now_us()
    invitation = Invitation(sha256=digest(token), tenant_id=tenant_id, person_id=person_id, roles=roles, by=by)
    await add_invitation(w, invitation, after_us(now, for_s))
    await append_event(w, "person.invited", "people", {"roles": list(roles)}, by=by, tenant_id=tenant_id, at_us=now)
    return token


async def invite_first_admin(ledger: Ledger, by: str) -> str:
    """The token of an admin's link that works for 15 minutes."""
    async with ledger.writing() as w:
        tenant_id = await default_tenant(w)
        return await invite(w, tenant_id=tenant_id, roles=("admin",), by=by, for_s=FIRST_ADMIN_S)


async def has_admin(ledger: Ledger) -> bool:
    """Whether somebody who can sign in is an admin."""
    async with ledger.reading() as r:
        return await count_admins(r) > 0


async def invitation_of(r: ReadSession, token: str) -> Invitation:
    """What a link gives, without using it. Raises: InvitationOver."""
    invitation = await find_invitation(r, digest(token), await r.now_us())
    if invitation is None:
        raise InvitationOver
    return invitation


async def redeem(ledger: Ledger, token: str, joining: Joining) -> Person:
    """The person who joined with a link, which is used up now.

    Raises: InvitationOver, NameMissing, WrongAddress, AddressTaken, PasswordTooShort.
    """
    password_hash = await asyncio.to_thread(hash_password, joining.password)
    async with ledger.writing() as w:
        invitation = await invitation_of(w, token)
        if not await use_invitation(w, invitation.sha256, await w.now_us()):
            raise InvitationOver
        person_id = await _person(w, invitation, joining, password_hash)
        person = await find_person(w, person_id)
    assert person is not None
    return person


async def _person(w: WriteSession, invitation: Invitation, joining: Joining, password_hash: str) -> UUID:
    if invitation.person_id is not None:
        await set_password(w, invitation.person_id, password_hash)
        return invitation.person_id
    name, email = checked_name(joining.name), checked_address(joining.email)
    if await find_person_by_email(w, email) is not None:
        raise AddressTaken(email=email)
    person_id = await add_person(w, name=name, email=email, password_hash=password_hash, replayed=False)
    for role in invitation.roles:
        grant = Grant(role=role)
        await add_grant(w, person_id=person_id, grant=grant, tenant_id=invitation.tenant_id, by=invitation.by)
    await append_event(
        w,
        "person.joined",
        f"person:{email}",
        {"roles": list(invitation.roles), "invited_by": invitation.by},
        by=f"person:{email}",
        tenant_id=invitation.tenant_id,
        at_us=await w.now_us(),
    )
    return person_id


def checked_name(name: str) -> str:
    """The name without white space around it. Raises: NameMissing."""
    name = name.strip()
    if not name:
        raise NameMissing
    return name[:200]


def checked_address(email: str) -> str:
    """The address in lower case. Raises: WrongAddress."""
    email = email.strip().lower()
    if len(email) > 320 or not _ADDRESS.fullmatch(email):
        raise WrongAddress(email=email[:80])
    return email
