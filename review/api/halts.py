"""Halts under `/api/v1/models/{model}/halt`: they outrank all flags until they are lifted."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, put
from litestar.params import Parameter

from gateway.store.ledger import Ledger
from gateway.store.schema.serves import HaltMode
from gateway.times import now_us
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.halting import Expected, Halted, expect, halt_model, lift_model

Why = Annotated[str, msgspec.Meta(max_length=2000)]


class Halting(msgspec.Struct, frozen=True, kw_only=True):
    """How a model shall be halted, and why: `review` holds all, `fallback` and `refuse` answer without a model."""

    mode: HaltMode
    why: Why = ""


class HaltAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What to expect of the halt, and the halt itself unless this was a preview."""

    expected: Expected
    halted: Halted | None


class HaltsController(Controller):
    """Halts."""

    path = "/api/v1/models/{model:str}/halt"
    tags = ("halts",)

    @put("/", **needs("operate"))
    async def halt(
        self, model: str, data: Halting, ledger: Ledger, actor: Actor, settings: ApiSettings, preview: bool = False
    ) -> HaltAnswer:
        """Halt a model; with `?preview=1` only say what that would do to the queue."""
        traffic = traffic_of(settings, ledger)
        expected = await expect(ledger, traffic, actor.tenant_id, model, data.mode, now_us())
        halted = None if preview else await halt_model(ledger, actor, model, data.mode, data.why)
        return HaltAnswer(expected=expected, halted=halted)

    @delete("/", status_code=200, **needs("operate"))
    async def lift(
        self, model: str, ledger: Ledger, actor: Actor, why: Annotated[str, Parameter(max_length=2000)] = ""
    ) -> Halted:
        """Lift the halt; flags and policy count again."""
        return await lift_model(ledger, actor, model, why)
