"""Queues under `/console/queues`: how full they are, what is overdue, who works on them; members come and go here."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.console.pages import Asked, page
from review.desk.queues import drop_member, put_member, see_queues
from review.store.people import list_people
from review.store.views import Page, list_cases

Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class MemberForm(msgspec.Struct, frozen=True, kw_only=True):
    """A person who joins or leaves a queue."""

    person: UUID
    member: bool
    csrf_token: str = ""


class QueuesPages(Controller):
    """Queues."""

    path = "/queues"
    include_in_schema = False

    @get("/", **needs("lead"))
    async def show(self, request: Asked, ledger: Ledger, actor: Actor) -> Response[str]:
        """Every queue with its size and members, and the cases that wait for a lead."""
        async with ledger.reading() as r:
            queues = await see_queues(r, actor)
            people = [person for person in await list_people(r) if person.disabled_us is None]
            escalated = await list_cases(r, actor.tenant_id, Page(state="adjudicating"))
        return page("queues.html", request, queues=queues, people=people, escalated=escalated)

    @post("/{name:str}/members", status_code=200, **needs("lead"))
    async def change_members(
        self, ledger: Ledger, actor: Actor, name: str, data: Annotated[MemberForm, Form]
    ) -> Redirect:
        """Let a person into a queue, or out of it."""
        change = put_member if data.member else drop_member
        async with ledger.writing() as w:
            await change(w, actor, name, data.person)
        return Redirect("/console/queues", status_code=303)
