"""The gate's terms under `/api/v1/models/{model}/gate`: what a model's candidates must show before they may serve."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import Parameter

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.releases import Why
from review.release.gate import Thresholds
from review.release.terms import TermsShown, clear_terms, confirm_terms, set_terms, show_terms


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate shall ask for, and why."""

    declaration: Thresholds
    why: Why = ""


class Confirming(msgspec.Struct, frozen=True, kw_only=True):
    """Why lower terms are confirmed."""

    why: Why = ""


class TermsController(Controller):
    """The gate's terms."""

    path = "/api/v1/models/{model:str}/gate"
    tags = ("releases",)

    @get("/", **needs("inspect"))
    async def show_terms(self, model: str, ledger: Ledger, actor: Actor) -> TermsShown:
        """What the gate asks of the model's candidates, who declared that, and what it asked before."""
        return await show_terms(ledger, actor.tenant_id, model)

    @put("/", **needs("operate"))
    async def declare(self, model: str, data: Asking, ledger: Ledger, actor: Actor) -> TermsShown:
        """Declare what the gate asks of the model's candidates from now on; with four eyes less waits for a second
        person."""
        return await set_terms(ledger, actor, model, data.declaration, data.why)

    @delete("/", status_code=200, **needs("operate"))
    async def clear(
        self, model: str, ledger: Ledger, actor: Actor, why: Annotated[str, Parameter(max_length=2000)] = ""
    ) -> TermsShown:
        """Ask of the model's candidates what is asked of every model's."""
        return await clear_terms(ledger, actor, model, why)

    @post("/confirmation", status_code=200, **needs("operate"))
    async def confirm(self, model: str, data: Confirming, ledger: Ledger, actor: Actor) -> TermsShown:
        """Confirm, as a second person, the lower terms that another one asked for."""
        return await confirm_terms(ledger, actor, model, data.why)
