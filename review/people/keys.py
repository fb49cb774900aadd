"""Making, rotating and revoking keys; each change is an event, and every gateway follows within a second."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.access.keys import MadeKey, check_scopes, make_key
from gateway.store.events import append_event
from gateway.store.keys import Key, add_key, find_key, revoke_key
from gateway.store.ledger import WriteSession
from gateway.times import after_us
from review.actors import Actor
from review.people.errors import NameMissing, NoSuchKey, PermissionNeeded


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made; its text is told now and never again."""

    id: UUID
    name: str
    key: str
    scopes: tuple[str, ...]
    expires_us: int | None


async def make_service_key(
    w: WriteSession, actor: Actor, name: str, scopes: Sequence[str], lasts_s: float | None
) -> NewKey:
    """A key of a service or of CI, which belongs to nobody. Raises: UnknownScope, NameMissing."""
    return await _make(w, actor, name, check_scopes(list(scopes)), None, lasts_s)


async def make_personal_key(w: WriteSession, actor: Actor, name: str, lasts_s: float | None) -> NewKey:
    """A key that acts as the person: it may do what the person may, and can read and predict. Raises: NameMissing."""
    scopes = ("predict:*", "read:*") if actor.may("operator") or actor.may("admin") else ("read:*",)
    return await _make(w, actor, name, scopes, actor.id, lasts_s)


async def rotate_key(w: WriteSession, actor: Actor, key_id: UUID, overlap_s: float) -> NewKey:
    """A successor with the same name and scopes; the old key works for `overlap_s` seconds more. Raises: NoSuchKey."""
    old = await _key_of(w, actor, key_id)
    fresh = await _make(w, actor, old.name, old.scopes, old.person_id, None)
    await revoke_key(w, actor.tenant_id, key_id, after_us(await w.now_us(), overlap_s))
    await _tell(w, "key.rotated", actor, old)
    return fresh


async def end_key(w: WriteSession, actor: Actor, key_id: UUID) -> None:
    """Revoke a key at once. Raises: NoSuchKey, PermissionNeeded."""
    key = await _key_of(w, actor, key_id)
    await revoke_key(w, actor.tenant_id, key_id, await w.now_us())
    await _tell(w, "key.revoked", actor, key)


async def _key_of(w: WriteSession, actor: Actor, key_id: UUID) -> Key:
    """A key that is theirs, or theirs to administer. Raises: NoSuchKey, PermissionNeeded."""
    key = await find_key(w, actor.tenant_id, key_id)
    if key is None:
        raise NoSuchKey
    own = key.person_id == actor.id or key.id == actor.id
    if not own and not actor.may("admin"):
        raise PermissionNeeded(permission="administer", roles="admin")
    return key


async def _make(
    w: WriteSession,
    actor: Actor,
    name: str,
    scopes: tuple[str, ...],
    person_id: UUID | None,
    lasts_s: float | None,
) -> NewKey:
    name = name.strip()[:200]
    if not name:
        raise NameMissing
    made = make_key()
    expires = after_us(await w.now_us(), lasts_s) if lasts_s is not None else None
    key_id = await _keep(w, actor, made, name, scopes, person_id, expires)
    return NewKey(id=key_id, name=name, key=made.text, scopes=scopes, expires_us=expires)


async def _keep(
    w: WriteSession,
    actor: Actor,
    made: MadeKey,
    name: str,
    scopes: tuple[str, ...],
    person_id: UUID | None,
    expires_us: int | None,
) -> UUID:
    key_id = await add_key(
        w, made, tenant_id=actor.tenant_id, name=name, scopes=scopes, person_id=person_id, expires_us=expires_us
    )
    key = await find_key(w, actor.tenant_id, key_id)
    assert key is not None
    await _tell(w, "key.made", actor, key)
    return key_id


async def _tell(w: WriteSession, type_: str, actor: Actor, key: Key) -> None:
    data = {"name": key.name, "hint": key.hint, "scopes": list(key.scopes)}
    subject, at_us = f"key:{key.name}"[:120], await w.now_us()
    await append_event(w, type_, subject, data, by=actor.by, tenant_id=actor.tenant_id, at_us=at_us)
