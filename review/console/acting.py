"""Acting on a model under `/console/operations/{name}/{act}`: what will change, then one confirmation with a reason."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, Parameter
from litestar.response import Redirect

from flags.errors import FlagsError
from flags.names import Kind, compose
from gateway.errors import GatewayError, UnknownModel
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from gateway.times import now_us
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import Number
from review.api.traffic import traffic_of
from review.console.models import mode_of
from review.console.pages import Asked, page
from review.console.previews import PREVIEWS, Preview
from review.console.releases import address_of
from review.errors import ReviewError
from review.halting import Expected, expect, halt_model, lift_model
from review.operations.now import ModelNow, models_now
from review.release.errors import NoSuchRelease
from review.release.looking import release_lines
from review.release.trials import Opening, close_trial, let_answer, open_trial
from review.switching import switch
from review.timeline.told import HALTS

Form = Body(media_type=RequestEncodingType.URL_ENCODED)
Fault = FlagsError | ReviewError | GatewayError


class ActForm(msgspec.Struct, frozen=True, kw_only=True):
    """An act that was looked at, with its reason."""

    why: str = ""
    mode: str = ""
    """How to halt."""
    on: bool = False
    """What a flag is switched to."""
    number: Number | None = None
    """The release to try; the newest one unless another is meant."""
    back: str = "operations"
    """Where one came from: `operations`, or the number of a release."""
    csrf_token: str = ""


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an act needs."""

    ledger: Ledger
    settings: ApiSettings
    actor: Actor
    name: str
    act: str
    form: ActForm


class ActsPages(Controller):
    """Acts on a model."""

    path = "/operations/{name:str}/{act:str}"
    include_in_schema = False

    @get("/", **needs("operate"))
    async def look(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, act: str,
        number: Annotated[int, Parameter(ge=1, lt=10**9)] | None = None, back: str = "operations",
    ) -> Response[str]:  # fmt: skip
        """What the act would change."""
        form = ActForm(number=number, back=back)
        return await _page(
            request, Acting(ledger=ledger, settings=settings, actor=actor, name=name, act=act, form=form)
        )

    @post("/", status_code=200, **needs("operate"))
    async def do(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, act: str,
        data: Annotated[ActForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Do it."""
        if act not in DOING:
            raise NotFoundException
        acting = Acting(ledger=ledger, settings=settings, actor=actor, name=name, act=act, form=data)
        try:
            await DOING[act](acting)
        except (FlagsError, ReviewError, GatewayError) as error:
            return await _page(request, acting, error)
        return Redirect(address_of(name, data.back), status_code=303)


async def _halt(one: Acting) -> None:
    await halt_model(one.ledger, one.actor, one.name, mode_of(one.form.mode), one.form.why)


async def _resume(one: Acting) -> None:
    await lift_model(one.ledger, one.actor, one.name, one.form.why)


async def _try(one: Acting) -> None:
    asked = Opening(number=one.form.number or 0, disagreement_probability=1.0, why=one.form.why)
    artifacts, most = LocalObjects(one.settings.artifacts), one.settings.machine.memory_max_bytes
    await open_trial(one.ledger, artifacts, one.actor, one.name, asked, most)


async def _let_answer(one: Acting) -> None:
    await let_answer(one.ledger, one.actor, one.name, one.form.why, one.settings.machine.memory_max_bytes)


async def _end_trial(one: Acting) -> None:
    await close_trial(one.ledger, one.actor, one.name, one.form.why)


async def _flip(one: Acting) -> None:
    flag = compose(one.name, Kind(one.act))
    await switch(one.ledger, one.settings.unleash, one.actor, flag, on=one.form.on, why=one.form.why)


DOING: Mapping[str, Callable[[Acting], Awaitable[None]]] = {
    "halt": _halt,
    "resume": _resume,
    "trial": _try,
    "canary": _let_answer,
    "end-trial": _end_trial,
    **dict.fromkeys(Kind, _flip),
}


async def _page(request: Asked, one: Acting, error: Fault | None = None) -> Response[str]:
    now = await _model(one)
    preview = PREVIEWS[one.act](now) if one.act in PREVIEWS else None
    if preview is None:
        raise NotFoundException
    return page(
        "act.html",
        request,
        status=error.status if error is not None else 200,
        now=now,
        act=one.act,
        preview=preview,
        expected=await _expected(one.ledger, one.settings, one.actor, one.name, preview),
        halts=HALTS,
        unleash=one.settings.unleash if one.act in set(Kind) and not one.ledger.flags.embedded else None,
        back=one.form.back,
        back_address=address_of(one.name, one.form.back),
        fault=str(error or ""),
    )


async def _model(one: Acting) -> ModelNow:
    """The model as it stands, with the release that is meant as its next. Raises: UnknownModel, NoSuchRelease."""
    async with one.ledger.reading() as r:
        models = await models_now(r, one.actor.tenant_id)
        found = next((each for each in models if each.served.name == one.name), None)
        if found is None:
            raise UnknownModel(model=one.name[:80])
        if one.form.number is None:
            return found
        lines = await release_lines(r, await known_model(r, one.actor.tenant_id, one.name))
    meant = next((line for line in lines.values() if line.number == one.form.number), None)
    if meant is None:
        raise NoSuchRelease(model=one.name, release=one.form.number)
    return msgspec.structs.replace(found, next=meant)


async def _expected(
    ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, preview: Preview
) -> Expected | None:
    """What becomes of the queue, where the act may make every request wait for a person."""
    if not preview.may_hold_all:
        return None
    return await expect(ledger, traffic_of(settings, ledger), actor.tenant_id, name, "review", now_us())
