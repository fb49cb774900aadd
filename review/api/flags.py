"""Flags under `/api/v1/flags`: three a model, in Unleash's own JSON; off is always the safe side."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.params import Parameter

from flags.store import FlagChange
from gateway.errors import BadRequest
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.flag_source import FlagsNow, flags_now
from review.flagging import (
    HISTORY_MAX,
    FlagLine,
    FlagShown,
    Flipped,
    confirm_flag,
    define,
    flag_history,
    list_flags,
    roll_out,
    show_flag,
)
from review.lint.looking import Linted, lint_flags
from review.switching import switch

Why = Annotated[str, msgspec.Meta(max_length=2000)]


class EitherDefinitionOrRollout(BadRequest):
    """Send either 'definition', the whole flag, or 'rollout', the percentage of its one strategy."""

    code = "either-definition-or-rollout"


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """On or off, and why; with `expected_version` only if nobody else was faster."""

    on: bool
    why: Why
    expected_version: int | None = None
    simulation: UUID | None = None
    """The simulation on which the change rests."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The whole flag in Unleash's JSON, or the percentage of its one strategy; and why."""

    why: Why
    definition: dict[str, Any] | None = None
    rollout: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    expected_version: int | None = None
    simulation: UUID | None = None
    """The simulation on which the change rests."""


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a second person agrees."""

    why: Why


class FlagsController(Controller):
    """Flags."""

    path = "/api/v1/flags"
    tags = ("flags",)

    @get("/", **needs("look"))
    async def list_all(self, ledger: Ledger, actor: Actor) -> list[FlagLine]:
        """Every flag: on or off, for whom, and its last change."""
        return await list_flags(ledger, actor.tenant_id)

    @get("/lint", **needs("look"))
    async def lint(self, ledger: Ledger, actor: Actor, model: str | None = None) -> Linted:
        """What in the flags in force would surprise: what the engine reads otherwise, and what no request can meet."""
        return await lint_flags(ledger, actor.tenant_id, model)

    @get("/source", **needs("look"))
    async def source(self, ledger: Ledger) -> FlagsNow:
        """Where the flags are kept, and since when gateways could not fetch them, if they cannot."""
        async with ledger.reading() as r:
            return await flags_now(r)

    @get("/{flag:str}", **needs("look"))
    async def show(self, flag: str, ledger: Ledger, actor: Actor) -> FlagShown:
        """A flag: its definition, and who changed it when and why."""
        return await show_flag(ledger, actor.tenant_id, flag)

    @get("/{flag:str}/history", **needs("look"))
    async def history(
        self,
        flag: str,
        ledger: Ledger,
        actor: Actor,
        limit: Annotated[int, Parameter(ge=1, le=HISTORY_MAX)] = 100,
    ) -> tuple[FlagChange, ...]:
        """The changes of a flag, the latest first."""
        return await flag_history(ledger, actor.tenant_id, flag, limit)

    @put("/{flag:str}/switch", **needs("operate"))
    async def switch_one(self, flag: str, data: Flip, ledger: Ledger, settings: ApiSettings, actor: Actor) -> Flipped:
        """Switch a flag on or off, here or in Unleash; its strategies stay."""
        return await switch(ledger, settings.unleash, actor, flag, on=data.on, **_said(data))

    @post("/{flag:str}/confirmation", status_code=200, **needs("operate"))
    async def confirm(self, flag: str, data: Confirmation, ledger: Ledger, actor: Actor) -> Flipped:
        """Make, as a second person, the change that another one asked for, where the model has four eyes."""
        return await confirm_flag(ledger, actor, flag, data.why)

    @put("/{flag:str}", **needs("operate"))
    async def set_definition(self, flag: str, data: Definition, ledger: Ledger, actor: Actor) -> Flipped:
        """Change for whom a flag is on: the whole definition, or the percentage of its one strategy."""
        if (data.definition is None) == (data.rollout is None):
            raise EitherDefinitionOrRollout
        if data.rollout is not None:
            return await roll_out(ledger, actor, flag, data.rollout, **_said(data))
        return await define(ledger, actor, flag, msgspec.json.encode(data.definition), **_said(data))


def _said(data: Flip | Definition) -> dict[str, Any]:
    return {"why": data.why, "expected_version": data.expected_version, "simulation": data.simulation}
