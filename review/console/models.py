"""Models under `/console/models`: what serves, its flags with their switch, the halt, and the last hour's traffic."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from flags.definitions import Feature, State
from flags.embedded import EmbeddedFlags
from flags.errors import FlagsError, UnknownFlag
from flags.store import FlagChange
from gateway.errors import GatewayError
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger
from gateway.store.schema.serves import HaltMode
from gateway.times import SECOND_US, now_us
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.bundle.taking import READERS
from review.console.pages import Asked, has, page
from review.errors import ReviewError
from review.flag_requests import FlagRequest, asked_of_flag
from review.flag_switches import Switch, reach_of
from review.flagging import confirm_flag
from review.halting import expect, halt_model, lift_model
from review.release.guard import show_guard
from review.release.looking import list_releases
from review.release.terms import show_terms
from review.served import list_served, show_model
from review.store.unleash_notes import notes_since
from review.switching import switch
from review.timeline.told import HALTS
from review.traffic.query import TrafficReader, Window
from review.unleash.log import LATE_US, Note

HOUR_S = 3600
CHANGES = 10
"""How many changes of a flag its page shows."""
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class SwitchForm(msgspec.Struct, frozen=True, kw_only=True):
    """A flag's switch, with the reason it needs."""

    on: bool
    why: str = ""
    simulation: UUID | None = None
    """The simulation on which the change rests."""
    csrf_token: str = ""


class ConfirmForm(msgspec.Struct, frozen=True, kw_only=True):
    """Why a second person agrees."""

    why: str = ""
    csrf_token: str = ""


class HaltForm(msgspec.Struct, frozen=True, kw_only=True):
    """A halt with its reason; an empty mode lifts it."""

    mode: str = ""
    why: str = ""
    csrf_token: str = ""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """A model's last hour."""

    predictions: int = 0
    shadowed: int = 0
    reviewed: int = 0

    @property
    def automated(self) -> int:
        """Those that the champion answered alone."""
        return self.predictions - self.shadowed - self.reviewed


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a flag: for whom it was on before and after, who changed it and why."""

    before: str
    after: str
    by: str
    why: str
    at_us: int
    simulation: str | None


class ShownFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A flag with its latest changes."""

    switch: Switch
    changes: tuple[Change, ...]
    request: FlagRequest | None
    """A change that waits for a second person."""
    would_be: str
    """How it would stand then."""
    asked: Note | None
    """A switch in Unleash that was asked for here a moment ago and that no gateway has fetched yet."""


class ModelsPages(Controller):
    """Models."""

    path = "/models"
    include_in_schema = False

    @get("/", **needs("look"))
    async def show_all(self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor) -> Response[str]:
        """Every model: what serves, whether it answers by itself, and what waits."""
        async with ledger.reading() as r:
            models = await list_served(r, actor.tenant_id)
        rates = await rates_of(traffic_of(settings, ledger), actor) if has(actor, "inspect") else None
        return page("models.html", request, models=models, rates=rates, none=Rates())

    @get("/{name:str}", **needs("look"))
    async def show(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, name: str, simulation: UUID | None = None
    ) -> Response[str]:
        """A model with its flags, its halt and its history; a flag that is switched then names the simulation."""
        return await _model_page(request, ledger, settings, name, simulation=simulation)

    @post("/{name:str}/flags/{kind:str}", status_code=200, **needs("operate"))
    async def switch_one(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, kind: str,
        data: Annotated[SwitchForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Switch a flag."""
        simulation = data.simulation
        try:
            await switch(
                ledger, settings.unleash, actor, f"{name}.{kind}", on=data.on, why=data.why, simulation=simulation
            )
        except (FlagsError, ReviewError) as error:
            return await _model_page(request, ledger, settings, name, error, simulation=simulation)
        return Redirect(f"/console/models/{name}", status_code=303)

    @post("/{name:str}/flags/{kind:str}/confirmation", status_code=200, **needs("operate"))
    async def confirm(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, kind: str,
        data: Annotated[ConfirmForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Confirm, as a second person, the change of a flag that another one asked for."""
        try:
            await confirm_flag(ledger, actor, f"{name}.{kind}", data.why)
        except (FlagsError, ReviewError) as error:
            return await _model_page(request, ledger, settings, name, error)
        return Redirect(f"/console/models/{name}", status_code=303)

    @post("/{name:str}/halt", status_code=200, **needs("operate"))
    async def halt(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str,
        data: Annotated[HaltForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Halt the model, change how it is halted, or lift the halt."""
        try:
            if data.mode:
                await halt_model(ledger, actor, name, mode_of(data.mode), data.why)
            else:
                await lift_model(ledger, actor, name, data.why)
        except (ReviewError, GatewayError) as error:
            return await _model_page(request, ledger, settings, name, error)
        return Redirect(f"/console/models/{name}", status_code=303)


def mode_of(mode: str) -> HaltMode:
    """The mode of a halt; one that nobody knows is the careful one."""
    modes: dict[str, HaltMode] = {"review": "review", "fallback": "fallback", "refuse": "refuse"}
    return modes.get(mode, "review")


async def _model_page(
    request: Asked,
    ledger: Ledger,
    settings: ApiSettings,
    name: str,
    error: FlagsError | ReviewError | GatewayError | None = None,
    *,
    simulation: UUID | None = None,
) -> Response[str]:
    actor = request.user
    async with ledger.reading() as r:
        model = await show_model(r, actor.tenant_id, name)
    inspects = has(actor, "inspect")
    traffic = traffic_of(settings, ledger)
    return page(
        "model.html",
        request,
        status=error.status if error is not None else 200,
        model=model,
        served=model.served,
        releases=await list_releases(ledger, actor.tenant_id, name),
        flags=[await _shown_flag(ledger, actor.tenant_id, switch) for switch in model.served.flags],
        me=actor.by,
        rates=(await rates_of(traffic, actor)).get(name, Rates()) if inspects else None,
        expected=await expect(ledger, traffic, actor.tenant_id, name, "review", now_us()) if inspects else None,
        terms=await show_terms(ledger, actor.tenant_id, name) if inspects else None,
        guard=await show_guard(ledger, actor.tenant_id, name) if inspects else None,
        halts=HALTS,
        simulation=simulation,
        may_operate=has(actor, "operate"),
        takes_bundles=any(actor.may_any(role) for role in READERS),
        unleash=settings.unleash if not ledger.flags.embedded else None,
        fault=str(error or ""),
    )


async def rates_of(traffic: TrafficReader, actor: Actor) -> dict[str, Rates]:
    """Every model's last hour, by name."""
    now = now_us()
    window = Window(tenant=actor.tenant_id, since_us=now - HOUR_S * SECOND_US, until_us=now)
    rates: dict[str, Rates] = {}
    for count in await traffic.counts(window, ("model", "path")):
        before = rates.get(str(count.model), Rates())
        rates[str(count.model)] = Rates(
            predictions=before.predictions + count.predictions,
            shadowed=before.shadowed + (count.predictions if count.path == "shadow" else 0),
            reviewed=before.reviewed + (count.predictions if count.path == "review" else 0),
        )
    return rates


async def _shown_flag(ledger: Ledger, tenant_id: UUID, now: Switch) -> ShownFlag:
    flags = EmbeddedFlags(LedgerFlagStore(ledger, tenant_id))
    version = (await flags.current()).version
    changes = await flags.history(now.flag, limit=CHANGES)
    states = {digest: await flags.state_at(digest) for one in changes for digest in (one.before, one.after)}
    async with ledger.reading() as r:
        notes = await notes_since(r, (now.flag,), now_us() - LATE_US)
        request = await asked_of_flag(r, tenant_id, now.flag, version)
    told = {(one.authorship.by, one.authorship.why) for one in changes}
    waiting = [note for note in notes if note.to != now.on and (note.by, note.why) not in told]
    return ShownFlag(
        switch=now,
        changes=tuple(_change(one, states) for one in changes),
        asked=waiting[-1] if waiting else None,
        request=request,
        would_be=_stands(request.definition) if request is not None else "",
    )


def _change(change: FlagChange, states: dict[str, State]) -> Change:
    return Change(
        before=_reach(states[change.before], change.flag),
        after=_reach(states[change.after], change.flag),
        by=change.authorship.by,
        why=change.authorship.why,
        at_us=change.authorship.at_us,
        simulation=change.authorship.simulation,
    )


def _reach(state: State, flag: str) -> str:
    try:
        feature = state.feature(flag)
    except UnknownFlag:
        return "not there"
    return _stands(feature)


def _stands(feature: Feature) -> str:
    return f"on for {reach_of(feature)}" if feature.enabled else "off"
