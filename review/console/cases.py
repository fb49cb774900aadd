"""A case that waits for a lead, under `/console/cases/{id}`: the lane's card, whose answer settles it."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, SkipValidation
from litestar.response import Redirect

from gateway.errors import GatewayError
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.console.cards import read_case_card
from review.console.pages import Asked, page
from review.console.verdicts import CardForm, judgement_of
from review.desk.adjudicate import adjudicate
from review.desk.reasons import REASONS
from review.errors import ReviewError, WrongState
from review.store.cases import read_case

Objects = SkipValidation[ObjectStore]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class CasesPages(Controller):
    """Cases that a lead decides."""

    path = "/cases"
    include_in_schema = False

    @get("/{case_id:uuid}", **needs("lead"))
    async def show(self, request: Asked, ledger: Ledger, objects: Objects, case_id: UUID) -> Response[str]:
        """The card of a case that waits for a lead."""
        return await _case_page(request, ledger, objects, case_id)

    @post("/{case_id:uuid}", status_code=200, **needs("lead"))
    async def decide(
        self, request: Asked, ledger: Ledger, objects: Objects, actor: Actor, case_id: UUID,
        data: Annotated[CardForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Settle the case, or close it where the lead cannot tell either."""
        try:
            async with ledger.writing() as w:
                await adjudicate(w, actor, case_id, judgement_of(data))
        except (ReviewError, GatewayError) as error:
            return await _case_page(request, ledger, objects, case_id, error)
        return Redirect("/console/queues", status_code=303)


async def _case_page(
    request: Asked,
    ledger: Ledger,
    objects: ObjectStore,
    case_id: UUID,
    error: ReviewError | GatewayError | None = None,
) -> Response[str]:
    """The card, as long as the case waits for a lead. Raises: UnknownCase, WrongState."""
    async with ledger.reading() as r:
        case = await read_case(r, case_id, request.user.tenant_id)
        if case.state != "adjudicating":
            raise WrongState(state=case.state, action="adjudicate")
        card = await read_case_card(r, objects, case_id, request.user.id)
    status = error.status if error is not None else 200
    return page("case.html", request, status=status, card=card, reasons=REASONS, fault=str(error or ""))
