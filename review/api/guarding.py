"""The guard under `/api/v1/models/{model}/guard`: what is watched after a promotion, and how the watch stands."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, put
from litestar.params import Parameter

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.releases import Why
from review.release.guard import GuardShown, clear_guard, set_guard, show_guard
from review.release.guarding import Declaration


class Guarding(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be watched, and why."""

    declaration: Declaration
    why: Why = ""


class GuardController(Controller):
    """The guard."""

    path = "/api/v1/models/{model:str}/guard"
    tags = ("releases",)

    @get("/", **needs("inspect"))
    async def show_guard(self, model: str, ledger: Ledger, actor: Actor) -> GuardShown:
        """What is watched after a promotion, what was before, and how the latest watch stands, with its figures."""
        return await show_guard(ledger, actor.tenant_id, model)

    @put("/", **needs("operate"))
    async def declare(self, model: str, data: Guarding, ledger: Ledger, actor: Actor) -> GuardShown:
        """Declare what is watched after a promotion; a release that bakes already is watched by it, too."""
        return await set_guard(ledger, actor, model, data.declaration, data.why)

    @delete("/", status_code=200, **needs("operate"))
    async def clear(
        self, model: str, ledger: Ledger, actor: Actor, why: Annotated[str, Parameter(max_length=2000)] = ""
    ) -> GuardShown:
        """Watch nothing any more; a watch that runs ends."""
        return await clear_guard(ledger, actor, model, why)
