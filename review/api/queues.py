"""Queues under `/api/v1`: their rules, of which every change is a revision, and their members."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import Parameter
from msgspec import Meta

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.desk.queues import QueueView, drop_member, put_member, revise_queue, see_queues
from review.errors import UnknownQueue
from review.store.queues import QueueRevision, QueueRules

QueueName = Annotated[str, Parameter(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class NewRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A queue's next rules, and why; `model` counts only for a queue that is new."""

    rules: QueueRules
    why: Annotated[str, Meta(max_length=1000)] | None = None
    model: str | None = None
    """The model whose cases come here; none for a queue that takes what no other takes."""


class QueuesController(Controller):
    """Lines of cases."""

    path = "/api/v1/queues"
    tags = ("desk",)

    @get("/", **needs("look"), summary="List queues")
    async def list(self, ledger: Ledger, actor: Actor) -> list[QueueView]:
        """Every queue with its rules, members, size and how much is overdue."""
        async with ledger.reading() as r:
            return await see_queues(r, actor)

    @get("/{name:str}", **needs("look"), summary="One queue")
    async def show(self, ledger: Ledger, actor: Actor, name: QueueName) -> QueueView:
        """The queue of this name."""
        async with ledger.reading() as r:
            views = await see_queues(r, actor, name)
        if not views:
            raise UnknownQueue(queue=name)
        return views[0]

    @post("/{name:str}/revisions", **needs("lead"), summary="Revise a queue's rules, or make a queue")
    async def revise(self, ledger: Ledger, actor: Actor, name: QueueName, data: NewRules) -> QueueRevision:
        """The new revision; cases keep the rules they were opened under."""
        async with ledger.writing() as w:
            return await revise_queue(w, actor, name, data.rules, model=data.model, why=data.why)

    @put("/{name:str}/members/{person_id:uuid}", **needs("lead"), status_code=204, summary="Add a member")
    async def add(self, ledger: Ledger, actor: Actor, name: QueueName, person_id: UUID) -> None:
        """The person may claim from the queue."""
        async with ledger.writing() as w:
            await put_member(w, actor, name, person_id)

    @delete("/{name:str}/members/{person_id:uuid}", **needs("lead"), summary="Remove a member")
    async def remove(self, ledger: Ledger, actor: Actor, name: QueueName, person_id: UUID) -> None:
        """The person may no longer claim from the queue."""
        async with ledger.writing() as w:
            await drop_member(w, actor, name, person_id)
