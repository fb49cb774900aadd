"""What a case is about, under `/api/v1/cases/{id}/input`: the same that the lane shows of it."""

from uuid import UUID

from litestar import Controller, get
from litestar.params import SkipValidation

from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from gateway.store.serving import release_plan
from review.actors import Actor
from review.api.guards import needs
from review.console.cards import read_input
from review.console.shown import ShownInput, shown_inputs
from review.console.store import case_facts
from review.store.cases import read_case

Objects = SkipValidation[ObjectStore]


class InputsController(Controller):
    """Inputs of cases."""

    path = "/api/v1/cases"
    tags = ("desk",)

    @get("/{case_id:uuid}/input", **needs("judge"), summary="What a case is about")
    async def show(self, ledger: Ledger, objects: Objects, actor: Actor, case_id: UUID) -> list[ShownInput]:
        """The item's inputs, in the order and the manner that its release's card declares."""
        async with ledger.reading() as r:
            await read_case(r, case_id, actor.tenant_id)
            case = await case_facts(r, case_id)
            release = await release_plan(r, case.model, case.release_id)
            payload = await read_input(objects, case.input_sha256)
        return list(shown_inputs(release.card, payload, case.item, case.items))
