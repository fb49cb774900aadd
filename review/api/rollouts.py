"""Rollouts under `/api/v1/rollouts`: a flag that is let on step by step, by the worker."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.releases import Why
from review.rollouts import moving
from review.rollouts.standing import RolloutShown, list_rollouts, show_rollout

Written = Annotated[str, msgspec.Meta(max_length=200)]


class Starting(msgspec.Struct, frozen=True, kw_only=True):
    """The steps in their order, each as in `10% 24h, 1000 requests, 20 verdicts, approval`; and why."""

    steps: Annotated[tuple[Written, ...], msgspec.Meta(max_length=100)]
    why: Why = ""
    simulation: UUID | None = None
    """The simulation on which it rests."""


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is done to a rollout."""

    why: Why = ""


class RolloutsController(Controller):
    """Rollouts."""

    path = "/api/v1/rollouts"
    tags = ("flags",)

    @get("/", **needs("look"))
    async def list_all(self, ledger: Ledger, actor: Actor) -> list[RolloutShown]:
        """The latest rollouts, the latest first."""
        return await list_rollouts(ledger, actor.tenant_id)

    @get("/{flag:str}", **needs("look"))
    async def show(self, flag: str, ledger: Ledger, actor: Actor) -> RolloutShown:
        """The latest rollout of a flag: how far it has come and what it waits for."""
        return await show_rollout(ledger, actor.tenant_id, flag)

    @post("/{flag:str}", status_code=201, **needs("operate"))
    async def start(self, flag: str, data: Starting, ledger: Ledger, actor: Actor) -> RolloutShown:
        """Take the first step now; the worker takes the others as each one's conditions are met."""
        asked = moving.Start(steps=data.steps, why=data.why, simulation=data.simulation)
        return await moving.start(ledger, actor, flag, asked)

    @post("/{flag:str}/pause", status_code=200, **needs("operate"))
    async def pause(self, flag: str, data: Moving, ledger: Ledger, actor: Actor) -> RolloutShown:
        """Let nothing happen by itself until it is resumed; the flag stays as it is."""
        return await moving.pause(ledger, actor, flag, data.why)

    @post("/{flag:str}/resume", status_code=200, **needs("operate"))
    async def resume(self, flag: str, data: Moving, ledger: Ledger, actor: Actor) -> RolloutShown:
        """Go on from the present step, which begins anew; a flag that was changed by hand is put back to it."""
        return await moving.resume(ledger, actor, flag, data.why)

    @post("/{flag:str}/advance", status_code=200, **needs("operate"))
    async def advance(self, flag: str, data: Moving, ledger: Ledger, actor: Actor) -> RolloutShown:
        """Take the next step now, whatever it waits for."""
        return await moving.advance(ledger, actor, flag, data.why)

    @post("/{flag:str}/approve", status_code=200, **needs("operate"))
    async def approve(self, flag: str, data: Moving, ledger: Ledger, actor: Actor) -> RolloutShown:
        """Approve of what the present step has shown."""
        return await moving.approve(ledger, actor, flag, data.why)

    @post("/{flag:str}/abort", status_code=200, **needs("operate"))
    async def abort(self, flag: str, data: Moving, ledger: Ledger, actor: Actor) -> RolloutShown:
        """End it and switch the flag off."""
        return await moving.abort(ledger, actor, flag, data.why)
