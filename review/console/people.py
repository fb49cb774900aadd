"""People under `/console/people`: who is here with which roles, and invitation links, each shown once."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from gateway.access.roles import ROLES
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.people import join_url
from review.console.pages import Asked, page
from review.errors import ReviewError
from review.people.joining import invite
from review.people.roles import checked_roles, disable, enable, grant_role, revoke_role
from review.store.people import list_people

Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class PersonForm(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with somebody: give or take a role, shut out, let in."""

    email: str
    what: str
    role: str = ""
    model: str = ""
    csrf_token: str = ""


class PeoplePages(Controller):
    """People."""

    path = "/people"
    include_in_schema = False

    @get("/", **needs("administer"))
    async def show(self, request: Asked, ledger: Ledger) -> Response[str]:
        """Everybody, with their roles."""
        return await _people_page(request, ledger)

    @post("/invitations", status_code=200, **needs("administer"))
    async def invite(self, request: Asked, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Response[str]:
        """Make a link for somebody new; it stands on this page and nowhere else."""
        try:
            roles = checked_roles((await request.form()).getall("roles", []))
            async with ledger.writing() as w:
                token = await invite(
                    w, tenant_id=actor.tenant_id, roles=roles, by=actor.by, for_s=settings.invitation_s
                )
        except ReviewError as error:
            return await _people_page(request, ledger, error=error)
        return await _people_page(request, ledger, link=join_url(settings, token), lasts_s=settings.invitation_s)

    @post("/", status_code=200, **needs("administer"))
    async def change(
        self, request: Asked, ledger: Ledger, actor: Actor, data: Annotated[PersonForm, Form]
    ) -> Response[Any]:
        """Give or take a role, shut somebody out or let them in again."""
        try:
            await _change(ledger, actor, data)
        except ReviewError as error:
            return await _people_page(request, ledger, error=error)
        return Redirect("/console/people", status_code=303)


async def _change(ledger: Ledger, actor: Actor, form: PersonForm) -> None:
    async with ledger.writing() as w:
        match form.what:
            case "grant":
                await grant_role(w, actor, form.email, form.role, form.model or None)
            case "revoke":
                await revoke_role(w, actor, form.email, form.role, form.model or None)
            case "disable":
                await disable(w, actor, form.email)
            case "enable":
                await enable(w, actor, form.email)


async def _people_page(
    request: Asked, ledger: Ledger, *, link: str = "", lasts_s: float = 0.0, error: ReviewError | None = None
) -> Response[str]:
    async with ledger.reading() as r:
        people = await list_people(r)
    status = error.status if error is not None else 200
    return page(
        "people.html", request, status=status, people=people, roles=ROLES, link=link, lasts_s=lasts_s,
        fault=str(error or ""),
    )  # fmt: skip
