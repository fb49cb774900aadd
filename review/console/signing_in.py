"""Coming and going: the sign-in page, joining by a link, signing out, and the way home."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from gateway.errors import GatewayError
from gateway.store.ledger import Ledger
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.people import session_cookie
from review.console.pages import Asked, page, sections_for
from review.errors import ReviewError
from review.people.joining import Joining, invitation_of, redeem
from review.people.sessions import COOKIE, Attempts, open_session, sign_in, sign_out
from review.store.people import find_person

HOME = "/console/"
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class SignInForm(msgspec.Struct, frozen=True, kw_only=True):
    """Address and password, and where to go then."""

    email: str = ""
    password: str = ""
    next: str = HOME


class JoinForm(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says who follows a link."""

    name: str = ""
    email: str = ""
    password: str = ""


class SigningInController(Controller):
    """Coming and going."""

    path = "/"
    include_in_schema = False

    @get("/", **needs("self"))
    async def home(self, request: Asked) -> Redirect:
        """The first section that one may open."""
        sections = sections_for(request.user)
        return Redirect(sections[0][1] if sections else "/console/sign-in")

    @get("/sign-in", **needs("public"))
    async def show(self, request: Asked, next: str = HOME) -> Response[str]:  # noqa: A002 - the name in the address
        """The sign-in page."""
        return page("sign_in.html", request, form=SignInForm(next=within(next)), fault="")

    @post("/sign-in", status_code=200, **needs("public"))
    async def enter(
        self, data: Annotated[SignInForm, Form], request: Asked, ledger: Ledger, settings: ApiSettings,
        attempts: Attempts,
    ) -> Response[Any]:  # fmt: skip
        """Sign in, and go where one wanted to."""
        try:
            signed_in = await sign_in(ledger, attempts, data.email, data.password, settings.session_s)
        except ReviewError as error:
            return page("sign_in.html", request, status=error.status, form=data, fault=str(error))
        return Redirect(within(data.next), status_code=303, cookies=[session_cookie(signed_in, settings)])

    @post("/sign-out", status_code=200, **needs("anyone"))
    async def leave(self, request: Asked, ledger: Ledger) -> Redirect:
        """Sign out."""
        async with ledger.writing() as w:
            await sign_out(w, request.cookies.get(COOKIE, ""))
        answer = Redirect("/console/sign-in", status_code=303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @get("/join/{token:str}", **needs("public"))
    async def show_join(self, token: str, request: Asked, ledger: Ledger) -> Response[str]:
        """The page that a link opens; it uses nothing up."""
        return await _join_page(request, ledger, token, JoinForm())

    @post("/join/{token:str}", status_code=200, **needs("public"))
    async def join(
        self, token: str, data: Annotated[JoinForm, Form], request: Asked, ledger: Ledger, settings: ApiSettings
    ) -> Response[Any]:
        """Join, signed in at once."""
        joining = Joining(name=data.name, email=data.email, password=data.password)
        try:
            person = await redeem(ledger, token, joining)
        except (ReviewError, GatewayError) as error:
            return await _join_page(request, ledger, token, data, error)
        async with ledger.writing() as w:
            signed_in = await open_session(w, person.id, settings.session_s)
        return Redirect(HOME, status_code=303, cookies=[session_cookie(signed_in, settings)])


async def _join_page(
    request: Asked, ledger: Ledger, token: str, form: JoinForm, error: ReviewError | GatewayError | None = None
) -> Response[str]:
    """What the link gives, with a form. Raises: InvitationOver."""
    async with ledger.reading() as r:
        invitation = await invitation_of(r, token)
        person = await find_person(r, invitation.person_id) if invitation.person_id is not None else None
    return page(
        "join.html",
        request,
        status=error.status if error is not None else 200,
        invitation=invitation,
        person=person,
        form=form,
        fault=str(error or ""),
    )


def within(address: str) -> str:
    """The address if it lies within the console, else its home: a link must not lead out through the sign-in page."""
    return address if address.startswith("/console/") and "\\" not in address else HOME
