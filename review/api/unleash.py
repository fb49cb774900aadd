"""What is done in an Unleash server, under `/api/v1/unleash`."""

from typing import Annotated

import msgspec
from litestar import Controller, post

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.unleash.making import Made, make_flags

MODELS_MAX = 1_000


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """Whose flags are to be made: those of these models, or of all where none is named."""

    models: Annotated[tuple[str, ...], msgspec.Meta(max_length=MODELS_MAX)] = ()
    dry_run: bool = False


class UnleashController(Controller):
    """Flags in an Unleash server."""

    path = "/api/v1/unleash"
    tags = ("flags",)

    @post("/flags", status_code=200, **needs("operate"))
    async def make(self, data: Making, ledger: Ledger, settings: ApiSettings, actor: Actor) -> Made:
        """Make what is missing of the models' flags in Unleash, all off; or with `dry_run` only say what that is."""
        return await make_flags(ledger, settings.unleash, actor, data.models, dry_run=data.dry_run)
