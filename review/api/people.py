"""People under `/api/v1`: who one is, signing in and out, joining, invitations and roles."""

from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie, State

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.people.joining import Joining, invite, redeem
from review.people.keys import NewKey, make_personal_key
from review.people.roles import checked_roles, disable, enable, grant_role, mark_replayed, person_with, revoke_role
from review.people.sessions import COOKIE, Attempts, SignedIn, actor_of_person, sign_in, sign_out
from review.store.people import Grant, Person, find_person, list_people

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Self(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a person with roles, or a key with scopes; `csrf` is for pages that send unsafe requests."""

    kind: str
    name: str
    email: str
    roles: tuple[Grant, ...] = ()
    scopes: tuple[str, ...] = ()
    csrf: str | None = None


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Address and password."""

    email: Text
    password: Text


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says who follows a link, and whether a key for the command line is wanted at once."""

    token: Text
    password: Text
    name: str = ""
    email: str = ""
    key_name: str | None = None


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Who joined, with the key if one was wanted."""

    person: Person
    key: NewKey | None


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """The roles a new person gets; or the address of somebody here who shall choose a new password."""

    roles: list[str] = []
    email: str | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that works once, and for how many seconds."""

    url: str
    lasts_s: float


class RoleChange(msgspec.Struct, frozen=True, kw_only=True):
    """A role, for all models or for one."""

    role: Text
    model: str | None = None


class PeopleController(Controller):
    """People."""

    path = "/api/v1"
    tags = ("people",)

    @get("/me", **needs("anyone"))
    async def show_me(self, ledger: Ledger, actor: Actor, credentials: Credentials) -> Self:
        """Who asks: a person with roles, or a key with scopes."""
        csrf = credentials.session.csrf if credentials.session is not None else None
        grants: tuple[Grant, ...] = ()
        if actor.kind == "person":
            async with ledger.reading() as r:
                person = await find_person(r, actor.id)
            grants = person.grants if person is not None else ()
        scopes = tuple(sorted(credentials.scopes))
        return Self(kind=actor.kind, name=actor.name, email=actor.email, roles=grants, scopes=scopes, csrf=csrf)

    @post("/session", status_code=204, **needs("public"))
    async def open_session(
        self, data: SignIn, ledger: Ledger, settings: ApiSettings, attempts: Attempts
    ) -> Response[None]:
        """Sign in with address and password; the answer sets the session's cookie."""
        signed_in = await sign_in(ledger, attempts, data.email, data.password, settings.session_s)
        return Response(None, status_code=204, cookies=[session_cookie(signed_in, settings)])

    @delete("/session", status_code=204, **needs("anyone"))
    async def end_session(self, request: Request[Actor, Credentials, State], ledger: Ledger) -> Response[None]:
        """Sign out."""
        async with ledger.writing() as w:
            await sign_out(w, request.cookies.get(COOKIE, ""))
        answer: Response[None] = Response(None, status_code=204)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @post("/join", **needs("public"))
    async def join(self, data: Join, ledger: Ledger) -> Joined:
        """Join with a link that was sent, and take a key for the command line if one is wanted."""
        person = await redeem(ledger, data.token, Joining(name=data.name, email=data.email, password=data.password))
        if data.key_name is None:
            return Joined(person=person, key=None)
        async with ledger.writing() as w:
            actor = await actor_of_person(w, person.id)
            assert actor is not None
            return Joined(person=person, key=await make_personal_key(w, actor, data.key_name, None))

    @get("/people", **needs("administer"))
    async def list_all(self, ledger: Ledger) -> list[Person]:
        """Everybody, with their roles."""
        async with ledger.reading() as r:
            return await list_people(r)

    @post("/people/invitations", **needs("administer"))
    async def invite(self, data: Invite, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Link:
        """Make a link for somebody new, or for a new password."""
        roles = checked_roles(data.roles)
        async with ledger.writing() as w:
            person_id = (await person_with(w, data.email)).id if data.email is not None else None
            token = await invite(
                w,
                tenant_id=actor.tenant_id,
                roles=() if person_id else roles,
                by=actor.by,
                for_s=settings.invitation_s,
                person_id=person_id,
            )
        return Link(url=join_url(settings, token), lasts_s=settings.invitation_s)

    @post("/people/{email:str}/roles", status_code=200, **needs("administer"))
    async def grant(self, email: str, data: RoleChange, ledger: Ledger, actor: Actor) -> Person:
        """Give a role, for all models or for one."""
        async with ledger.writing() as w:
            await grant_role(w, actor, email, data.role, data.model)
            return await person_with(w, email)

    @delete("/people/{email:str}/roles/{role:str}", status_code=200, **needs("administer"))
    async def revoke(self, email: str, role: str, ledger: Ledger, actor: Actor, model: str | None = None) -> Person:
        """Take a role away."""
        async with ledger.writing() as w:
            await revoke_role(w, actor, email, role, model)
            return await person_with(w, email)

    @post("/people/{email:str}/disable", status_code=200, **needs("administer"))
    async def disable(self, email: str, ledger: Ledger, actor: Actor) -> Person:
        """Shut somebody out, with every session and key."""
        async with ledger.writing() as w:
            await disable(w, actor, email)
            return await person_with(w, email)

    @post("/people/{email:str}/enable", status_code=200, **needs("administer"))
    async def enable(self, email: str, ledger: Ledger, actor: Actor) -> Person:
        """Let somebody in again."""
        async with ledger.writing() as w:
            await enable(w, actor, email)
            return await person_with(w, email)

    @post("/people/{email:str}/replayed", status_code=200, **needs("administer"))
    async def mark_replayed(self, email: str, ledger: Ledger, actor: Actor) -> Person:
        """Say that a program repeats here what people judged elsewhere; it cannot be unsaid."""
        async with ledger.writing() as w:
            await mark_replayed(w, actor, email)
            return await person_with(w, email)


def session_cookie(signed_in: SignedIn, settings: ApiSettings) -> Cookie:
    """The cookie of a fresh session: out of reach of scripts and of other sites."""
    return Cookie(
        key=COOKIE,
        value=signed_in.cookie,
        path="/",
        max_age=round(settings.session_s),
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )


def join_url(settings: ApiSettings, token: str) -> str:
    """The page that a link opens."""
    return f"{settings.link_url}/console/join/{token}"
