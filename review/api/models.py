"""Models under `/api/v1/models`: what serves, and a file that becomes the next version."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body
from litestar.types import ExceptionHandlersMap

from gateway.errors import BadRequest
from gateway.inference.report import AdmissionLimits
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Added, Adding, add, check_name
from gateway.registry.card import CARD_MAX_BYTES
from gateway.registry.elsewhere import add_upstream
from gateway.store.ledger import Ledger
from gateway.store.models import find_model
from gateway.store.schema.serves import AttachedRole
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.problems import Problem, known
from review.learning.errors import RecipeRefused, UnknownDataset
from review.learning.learned import trained_with
from review.learning.recipe import Elsewhere, declared_elsewhere
from review.operators import require_operator
from review.served import ModelShown, Served, list_served, show_model

CHUNK_BYTES = 1 << 20
AROUND_BYTES = 192 * 1024
"""What the form around file and card may take, the recipe included."""
RECIPE_MAX_BYTES = 128 * 1024


class LengthMissing(BadRequest):
    """A model file is only taken with a Content-Length."""

    status = 411
    code = "length-missing"


class UploadTooLarge(BadRequest):
    """The upload has {found} bytes, and at most {limit} are taken: raise the setting upload_max_bytes."""

    status = 413
    code = "upload-too-large"


class CardNotText(BadRequest):
    """The card is not UTF-8 text of at most {limit} bytes."""

    code = "card-not-text"


class FileOrUpstream(BadRequest):
    """A version is a model file or the address of an upstream: send one of 'file' and 'upstream'."""

    code = "file-or-upstream"


@dataclass(frozen=True, kw_only=True)
class NewVersionForm:
    """A model file, or the address of an upstream, and a card, as parts of a form."""

    card: UploadFile
    file: UploadFile | None = None
    upstream: str = ""
    """Where the model runs, such as `grpc://triton:8001/sentiment`, if it does not run here."""
    data: str = ""
    """The dataset that it was trained with, by the first characters of its SHA-256; nothing where it was none."""
    recipe: UploadFile | None = None
    """How it was trained elsewhere, as JSON."""


class FormUnreadable(BadRequest):
    """A part of the form that is no file is not text in the charset that it names, or in UTF-8."""

    code = "form-unreadable"


def form_unreadable(request: Request[Any, Any, Any], _error: UnicodeDecodeError | LookupError) -> Response[Problem]:
    """What the framework fails to read of a form, before any of it is looked at here."""
    return known(request, FormUnreadable())


UNREADABLE: ExceptionHandlersMap = {UnicodeDecodeError: form_unreadable, LookupError: form_unreadable}
"""The handlers of every route that takes a form."""


async def upload_fits(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Return if the body may be read at all. Raises: LengthMissing, UploadTooLarge."""
    declared = connection.headers.get("content-length", "")
    if not declared.isdecimal():
        raise LengthMissing
    limit = connection.app.state.parts.settings.upload_max_bytes + CARD_MAX_BYTES + AROUND_BYTES
    if int(declared) > limit:
        raise UploadTooLarge(found=int(declared), limit=limit)


class ModelsController(Controller):
    """Models."""

    path = "/api/v1/models"
    tags = ("models",)

    @get("/", **needs("look"))
    async def list_all(self, ledger: Ledger, actor: Actor) -> list[Served]:
        """Every model: what serves, its flags, its halt and the holds that wait."""
        async with ledger.reading() as r:
            return await list_served(r, actor.tenant_id)

    @get("/{model:str}", **needs("look"))
    async def show(self, model: str, ledger: Ledger, actor: Actor) -> ModelShown:
        """A model: what serves, its card, its releases and its history."""
        async with ledger.reading() as r:
            return await show_model(r, actor.tenant_id, model)

    @post(
        "/{model:str}/versions",
        request_max_body_size=None,
        guards=[upload_fits],
        exception_handlers=UNREADABLE,
        **needs("operate"),
    )
    async def add_version(
        self,
        model: str,
        data: Annotated[NewVersionForm, Body(media_type=RequestEncodingType.MULTI_PART)],
        ledger: Ledger,
        actor: Actor,
        settings: ApiSettings,
    ) -> Added:
        """Admit a file or an upstream as the next version and release; a model's first one serves, all flags off."""
        check_name(model)
        if (data.file is None) == (not data.upstream):
            raise FileOrUpstream
        adding = Adding(
            tenant_id=actor.tenant_id,
            name=model,
            attached=await _for_operator(ledger, actor, model, data.data),
            card=await _text(data.card),
            recipe=await _recipe(data.recipe),
            by=actor.by,
        )
        if data.file is None:
            return await add_upstream(ledger, adding, data.upstream, settings.upstreams)
        with TemporaryDirectory(prefix="upload-", dir=settings.data_directory) as folder:
            file = Path(folder, "model.onnx")
            await keep(data.file, file)
            limits = AdmissionLimits(file_max_bytes=settings.upload_max_bytes)
            adding = msgspec.structs.replace(adding, file=file)
            return await add(ledger, LocalObjects(settings.artifacts), adding, limits, settings.machine)


async def _for_operator(ledger: Ledger, actor: Actor, name: str, dataset: str) -> Mapping[AttachedRole, str]:
    """What is attached, if they may add to the model, or make it. Raises: NotAllowed, UnknownDataset, OtherModel."""
    async with ledger.reading() as r:
        found = await find_model(r, actor.tenant_id, name)
        require_operator(actor, found.id if found is not None else None)
        if not dataset:
            return {}
        if found is None:
            raise UnknownDataset(dataset=dataset[:80])
        return await trained_with(r, found, dataset)


async def _text(card: UploadFile) -> str:
    data = await card.read(CARD_MAX_BYTES + 1)
    try:
        if len(data) > CARD_MAX_BYTES:
            raise CardNotText(limit=CARD_MAX_BYTES)
        return data.decode()
    except UnicodeDecodeError as error:
        raise CardNotText(limit=CARD_MAX_BYTES) from error


async def _recipe(declared: UploadFile | None) -> str | None:
    """The record of a version that was trained elsewhere, as JSON. Raises: RecipeRefused."""
    if declared is None:
        return None
    data = await declared.read(RECIPE_MAX_BYTES + 1)
    if len(data) > RECIPE_MAX_BYTES:
        raise RecipeRefused(fault=f"it is larger than {RECIPE_MAX_BYTES // 1024} KiB.")
    try:
        record = declared_elsewhere(msgspec.json.decode(data, type=Elsewhere))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise RecipeRefused(fault=f"{error}.") from error
    return msgspec.json.encode(record).decode()


async def keep(upload: UploadFile, path: Path) -> None:
    """Copy an upload to a file in pieces, beside the loop."""
    with await asyncio.to_thread(path.open, "wb") as file:
        while chunk := await upload.read(CHUNK_BYTES):
            await asyncio.to_thread(file.write, chunk)
