"""Rollouts under `/console/rollouts/{flag}`: how far one has come, what it waits for, and one confirmation an act."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, Parameter
from litestar.response import Redirect

from flags.errors import FlagsError
from flags.names import parse
from gateway.errors import GatewayError
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from review.actors import Actor
from review.api.guards import needs
from review.console.pages import Asked, has, page
from review.console.rolling import (
    HELP,
    USUAL,
    WRITE,
    Preview,
    acts_of,
    lines_of,
    page_keys,
    preview_of,
    starting,
)
from review.errors import ReviewError
from review.flag_switches import Switch
from review.flagging import show_flag
from review.rollouts import moving
from review.rollouts.errors import NoRollout
from review.rollouts.standing import RolloutShown, show_rollout
from review.timeline.reading import entries_about
from review.timeline.told import Entry

Form = Body(media_type=RequestEncodingType.URL_ENCODED)
Fault = FlagsError | ReviewError | GatewayError
FLIP = "flag.changed"
ENTRIES = 60
"""How many events about the flag its page tells."""
_Move = Callable[[Ledger, Actor, str, str], Awaitable[RolloutShown]]
MOVES: Mapping[str, _Move] = {
    "approve": moving.approve,
    "advance": moving.advance,
    "pause": moving.pause,
    "resume": moving.resume,
    "abort": moving.abort,
}


class RolloutForm(msgspec.Struct, frozen=True, kw_only=True):
    """An act that was looked at, with its reason."""

    why: str = ""
    steps: str = ""
    csrf_token: str = ""


class RolloutsPages(Controller):
    """Rollouts."""

    path = "/rollouts/{flag:str}"
    include_in_schema = False

    @get("/", **needs("look"))
    async def show(self, request: Asked, ledger: Ledger, actor: Actor, flag: str) -> Response[str]:
        """The latest rollout of a flag, and the field for a new one."""
        return await _page(request, ledger, actor, flag)

    @get("/{act:str}", **needs("operate"))
    async def look(
        self, request: Asked, ledger: Ledger, actor: Actor, flag: str, act: str,
        steps: Annotated[str, Parameter(max_length=5000)] = "",
    ) -> Response[str]:  # fmt: skip
        """What the act would change."""
        switch = await _switch(ledger, actor, flag)
        try:
            preview = await _preview(ledger, actor, switch, act, steps)
        except (FlagsError, ReviewError) as error:
            return await _page(request, ledger, actor, flag, error, steps)
        return _confirmation(request, switch, act, preview)

    @post("/{act:str}", status_code=200, **needs("operate"))
    async def do(
        self, request: Asked, ledger: Ledger, actor: Actor, flag: str, act: str, data: Annotated[RolloutForm, Form]
    ) -> Response[Any]:
        """Do it."""
        if act not in MOVES and act != "start":
            raise NotFoundException
        try:
            if act == "start":
                await moving.start(ledger, actor, flag, moving.Start(steps=lines_of(data.steps), why=data.why))
            else:
                await MOVES[act](ledger, actor, flag, data.why)
        except (FlagsError, ReviewError, GatewayError) as error:
            return await _page(request, ledger, actor, flag, error, data.steps)
        return Redirect(f"/console/rollouts/{flag}", status_code=303)


async def _preview(ledger: Ledger, actor: Actor, switch: Switch, act: str, steps: str) -> Preview:
    if act == "start":
        return starting(switch.flag, switch.reach, steps)
    preview = preview_of(act, await _latest(ledger, actor, switch.flag))
    if preview is None:
        raise NotFoundException
    return preview


def _confirmation(request: Asked, switch: Switch, act: str, preview: Preview) -> Response[str]:
    return page("rollout_act.html", request, switch=switch, act=act, preview=preview)


async def _page(
    request: Asked, ledger: Ledger, actor: Actor, flag: str, error: Fault | None = None, steps: str = ""
) -> Response[str]:
    switch = await _switch(ledger, actor, flag)
    model, _ = parse(flag)
    rollout = await _latest(ledger, actor, flag)
    async with ledger.reading() as r:
        model_id = (await known_model(r, actor.tenant_id, model)).id
    may_operate = has(actor, "operate") and actor.may("operator", model_id)
    return page(
        "rollout.html",
        request,
        status=error.status if error is not None else 200,
        model=model,
        switch=switch,
        rollout=rollout,
        acts=acts_of(rollout) if may_operate else (),
        may_start=may_operate and (rollout is None or not rollout.live),
        entries=await _told(ledger, actor, flag),
        steps=steps or "\n".join(USUAL),
        keys=page_keys(),
        write_key=WRITE,
        help_key=HELP,
        fault=str(error or ""),
    )


async def _switch(ledger: Ledger, actor: Actor, flag: str) -> Switch:
    """The flag as it stands. Raises: NotAModelFlag, UnknownFlag."""
    return (await show_flag(ledger, actor.tenant_id, flag, limit=1)).switch


async def _latest(ledger: Ledger, actor: Actor, flag: str) -> RolloutShown | None:
    try:
        return await show_rollout(ledger, actor.tenant_id, flag)
    except NoRollout:
        return None


async def _told(ledger: Ledger, actor: Actor, flag: str) -> tuple[Entry, ...]:
    """What happened to the flag's rollouts and what hands did to it, the latest first."""
    async with ledger.reading() as r:
        found = await entries_about(r, actor.tenant_id, f"flag:{flag}", ENTRIES)
    moves = {(one.by, one.at_us) for one in found if one.type != FLIP}
    return tuple(one for one in found if one.type != FLIP or (one.by, one.at_us) not in moves)
