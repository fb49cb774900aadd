"""Queues: their rules, of which every change is a new immutable revision, their members, and how full they are."""

from uuid import UUID

import msgspec

from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.models import known_model
from gateway.store.plans import bump_plan
from review.actors import Actor
from review.errors import QueueRefused, UnknownPerson, UnknownQueue
from review.store import queues as store
from review.store.queues import Member, Queue, QueueRevision, QueueRules, QueueSize


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its rules, members and size."""

    queue: Queue
    members: tuple[Member, ...]
    size: QueueSize
    mine: bool
    """Whether whoever asks is a member."""


async def see_queues(r: ReadSession, actor: Actor, name: str | None = None) -> list[QueueView]:
    """The tenant's queues, or the one of this name, as they are now."""
    now = await r.now_us()
    views = []
    for queue in await store.queues_in(r, actor.tenant_id, name):
        members = tuple(await store.members_of(r, queue.id))
        mine = any(member.person_id == actor.id for member in members)
        size = await store.size_of(r, queue.id, now)
        views.append(QueueView(queue=queue, members=members, size=size, mine=mine))
    return views


async def find_queue(r: ReadSession, tenant_id: UUID, name: str) -> Queue:
    """The queue of this name. Raises: UnknownQueue."""
    found = await store.queues_in(r, tenant_id, name)
    if not found:
        raise UnknownQueue(queue=name)
    return found[0]


async def revise_queue(
    w: WriteSession, actor: Actor, name: str, rules: QueueRules, *, model: str | None, why: str | None
) -> QueueRevision:
    """The next revision of the queue's rules; a name that is new makes a queue, for one model or for what is left.

    Cases keep the revision they were opened under. Raises: NotAPerson, NotAllowed, QueueRefused, UnknownModel.
    """
    if fault := rules_fault(rules):
        raise QueueRefused(fault=fault)
    known = await store.queues_in(w, actor.tenant_id, name)
    model_id = known[0].model_id if known else await _model_id(w, actor, model)
    actor.require("lead", model_id)
    now = await w.now_us()
    queue_id = known[0].id if known else await store.insert_queue(w, actor.tenant_id, name, model_id, now)
    await store.lock_queue(w, queue_id)
    current = await store.queues_in(w, actor.tenant_id, name)
    revision = current[0].latest.revision + 1 if current else 1
    revised = await store.insert_revision(w, queue_id, revision, rules, by=actor.by, why=why, at_us=now)
    await bump_plan(w, actor.tenant_id)
    return revised


async def _model_id(r: ReadSession, actor: Actor, model: str | None) -> UUID | None:
    if model is None:
        return None
    return (await known_model(r, actor.tenant_id, model)).id


async def put_member(w: WriteSession, actor: Actor, name: str, person_id: UUID) -> None:
    """Make a person a member of the queue. Raises: UnknownQueue, UnknownPerson, NotAPerson, NotAllowed."""
    queue = await find_queue(w, actor.tenant_id, name)
    actor.require("lead", queue.model_id)
    if not await store.is_person_of(w, person_id, actor.tenant_id):
        raise UnknownPerson
    await store.add_member(w, queue.id, person_id, await w.now_us())


async def drop_member(w: WriteSession, actor: Actor, name: str, person_id: UUID) -> None:
    """Take a person out of the queue. Raises: UnknownQueue, NotAPerson, NotAllowed."""
    queue = await find_queue(w, actor.tenant_id, name)
    actor.require("lead", queue.model_id)
    await store.remove_member(w, queue.id, person_id)


def rules_fault(rules: QueueRules) -> str | None:
    """What is wrong with the rules, as a sentence; None when nothing is. Pure."""
    if not 1 <= rules.k <= 9:
        return "k must be from 1 to 9."
    if rules.agreement == "single" and rules.k != 1:
        return "'single' means one person: k must be 1."
    if rules.agreement == "majority" and not rules.k / 2 < rules.required <= rules.k:
        return "for 'majority', required must be more than half of k and at most k."
    if not 0 <= rules.blind_share <= 1:
        return "blind_share must be from 0 to 1."
    if not 5 <= rules.lease_s <= 86_400:
        return "lease_s must be from 5 s to a day."
    if rules.deadline_s <= 0 or not 0 <= rules.undo_grace_s <= 3600:
        return "deadline_s must be above 0, and undo_grace_s from 0 to 3600."
    if rules.capacity is not None and rules.capacity < 1:
        return "capacity must be at least 1, or left out."
    return None
