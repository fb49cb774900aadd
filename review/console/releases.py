"""Promoting and rolling back below `/console/models/{name}`: what will change, then one confirmation with a reason."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from gateway.errors import GatewayError
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import number_of
from review.console.pages import Asked, page
from review.errors import ReviewError
from review.release.looking import show_release
from review.release.promotion import Promotion, preview_promotion, promote
from review.release.rollback import Rollback, preview_rollback, roll_back

Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class MoveForm(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion or rollback that was looked at: at which revision, why, and whether it is forced or confirmed."""

    revision: int
    to: int
    why: str = ""
    force: bool = False
    confirm: bool = False
    back: str = ""
    """Where one came from: `operations`, the number of a release, or else the model's page."""
    csrf_token: str = ""


class MovesPages(Controller):
    """Promotions and rollbacks."""

    path = "/models/{name:str}"
    include_in_schema = False

    @get("/releases/{release:str}/promotion", **needs("operate"))
    async def look(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, name: str, release: str, back: str = ""
    ) -> Response[str]:
        """What a promotion would change, and what the gate says of it."""
        return await _promotion_page(request, ledger, settings, name, release, back)

    @post("/releases/{release:str}/promotion", status_code=200, **needs("operate"))
    async def promote(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, release: str,
        data: Annotated[MoveForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Promote the release, or leave it to a second person."""
        asked = Promotion(
            number=number_of(name, release), why=data.why, force=data.force, confirm=data.confirm,
            expected_revision=data.revision,
        )  # fmt: skip
        try:
            artifacts, most = LocalObjects(settings.artifacts), settings.machine.memory_max_bytes
            told = await promote(ledger, artifacts, actor, name, asked, most)
        except (ReviewError, GatewayError) as error:
            return await _promotion_page(request, ledger, settings, name, release, data.back, error)
        waits = f"/console/models/{name}/releases/{asked.number}/promotion"
        return Redirect(address_of(name, data.back) if told.moved else waits, status_code=303)

    @get("/rollback", **needs("operate"))
    async def look_back(self, request: Asked, ledger: Ledger, actor: Actor, name: str, back: str = "") -> Response[str]:
        """Where a rollback would go, and what it would change."""
        return await _rollback_page(request, ledger, actor, name, back)

    @post("/rollback", status_code=200, **needs("operate"))
    async def roll_back(
        self, request: Asked, ledger: Ledger, actor: Actor, name: str, data: Annotated[MoveForm, Form]
    ) -> Response[Any]:
        """Roll the model back to the release that was shown."""
        asked = Rollback(why=data.why, to=data.to, expected_revision=data.revision)
        try:
            await roll_back(ledger, actor, name, asked)
        except (ReviewError, GatewayError) as error:
            return await _rollback_page(request, ledger, actor, name, data.back, error)
        return Redirect(address_of(name, data.back), status_code=303)


def address_of(name: str, back: str) -> str:
    """Where one goes on after a move: to the page one came from."""
    if back == "operations":
        return f"/console/operations#model-{name}"
    release = f"/releases/{back}" if back.isascii() and back.isdecimal() else ""
    return f"/console/models/{name}{release}"


async def _promotion_page(
    request: Asked,
    ledger: Ledger,
    settings: ApiSettings,
    name: str,
    release: str,
    back: str,
    error: ReviewError | GatewayError | None = None,
) -> Response[str]:
    artifacts = LocalObjects(settings.artifacts)
    tenant_id, number = request.user.tenant_id, number_of(name, release)
    told = await preview_promotion(ledger, artifacts, tenant_id, name, number)
    shown = await show_release(ledger, tenant_id, name, number)
    return page(
        "move.html",
        request,
        status=error.status if error is not None else 200,
        name=name,
        preview=told.preview,
        told=told,
        training=shown.training,
        mine=told.request is not None and told.request.by == request.user.by,
        address=f"/console/models/{name}/releases/{told.preview.number}/promotion",
        back=back,
        back_address=address_of(name, back),
        fault=str(error or ""),
    )


async def _rollback_page(
    request: Asked,
    ledger: Ledger,
    actor: Actor,
    name: str,
    back: str,
    error: ReviewError | GatewayError | None = None,
) -> Response[str]:
    return page(
        "move.html",
        request,
        status=error.status if error is not None else 200,
        name=name,
        preview=await preview_rollback(ledger, actor.tenant_id, name),
        told=None,
        mine=False,
        address=f"/console/models/{name}/rollback",
        back=back,
        back_address=address_of(name, back),
        fault=str(error or ""),
    )
