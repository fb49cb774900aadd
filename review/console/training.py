"""Retraining under `/console/models/{name}/training`: the recipe, the trigger, and trainings with progress and log."""

from typing import Annotated, Any
from uuid import UUID

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
from review.console.pages import Asked, has, page
from review.errors import ReviewError
from review.learning.datasets import list_datasets
from review.learning.errors import RecipeRefused, UnknownJob
from review.learning.recipes import declare_recipe, set_trigger, show_training
from review.learning.trainings import Asked as AskedTraining
from review.learning.trainings import ask_training, cancel, list_jobs, read_log, show_job, tail

Form = Body(media_type=RequestEncodingType.URL_ENCODED)
AFTER_DIGITS = 9


class RecipeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The recipe that was chosen."""

    recipe: str
    csrf_token: str = ""


class TriggerForm(msgspec.Struct, frozen=True, kw_only=True):
    """After how many corrections; empty for never."""

    after: str = ""
    csrf_token: str = ""


class TrainForm(msgspec.Struct, frozen=True, kw_only=True):
    """A training to begin."""

    dataset: str
    why: str = ""
    csrf_token: str = ""


class TrainingPages(Controller):
    """Retraining."""

    path = "/models/{name:str}/training"
    include_in_schema = False

    @get("/", **needs("inspect"))
    async def show(self, request: Asked, ledger: Ledger, settings: ApiSettings, name: str) -> Response[str]:
        """How a model is retrained, and its trainings."""
        return await _page(request, ledger, settings, name)

    @post("/recipe", status_code=200, **needs("operate"))
    async def declare(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str,
        data: Annotated[RecipeForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Declare a recipe."""
        try:
            await declare_recipe(ledger, settings.recipes, actor, name, data.recipe)
        except (ReviewError, GatewayError) as error:
            return await _page(request, ledger, settings, name, error)
        return Redirect(f"/console/models/{name}/training", status_code=303)

    @post("/trigger", status_code=200, **needs("operate"))
    async def trigger(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str,
        data: Annotated[TriggerForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Retrain after so many corrections, or never."""
        try:
            await set_trigger(ledger, settings.recipes, actor, name, _after(data.after.strip()))
        except (ReviewError, GatewayError) as error:
            return await _page(request, ledger, settings, name, error)
        return Redirect(f"/console/models/{name}/training", status_code=303)

    @post("/", status_code=200, **needs("operate"))
    async def train(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str,
        data: Annotated[TrainForm, Form],
    ) -> Response[Any]:  # fmt: skip
        """Put a training in the line."""
        asked = AskedTraining(dataset=data.dataset, why=data.why)
        try:
            job = await ask_training(ledger, settings.recipes, actor, name, asked)
        except (ReviewError, GatewayError) as error:
            return await _page(request, ledger, settings, name, error)
        return Redirect(f"/console/models/{name}/training/{job.id}", status_code=303)

    @get("/{job_id:uuid}", **needs("inspect"))
    async def look(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, name: str, job_id: UUID
    ) -> Response[str]:
        """A training: how far it is, and what its command printed last."""
        return await _job_page(request, ledger, settings, name, job_id)

    @post("/{job_id:uuid}/cancel", status_code=200, **needs("operate"))
    async def cancel(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, job_id: UUID
    ) -> Response[Any]:
        """Cancel a training."""
        try:
            await cancel(ledger, actor, job_id)
        except ReviewError as error:
            return await _job_page(request, ledger, settings, name, job_id, error)
        return Redirect(f"/console/models/{name}/training/{job_id}", status_code=303)


def _after(text: str) -> int | None:
    """The number in a form; none for never. Raises: RecipeRefused."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > AFTER_DIGITS or int(text) < 1:
        raise RecipeRefused(fault=f"'{text[:20]}' is no number of corrections.")
    return int(text)


async def _page(
    request: Asked, ledger: Ledger, settings: ApiSettings, name: str, error: ReviewError | GatewayError | None = None
) -> Response[str]:
    tenant_id = request.user.tenant_id
    async with ledger.reading() as r:
        training = await show_training(r, settings.recipes, tenant_id, name)
        jobs, datasets = await list_jobs(r, tenant_id, name), await list_datasets(r, tenant_id, name)
    return page(
        "training.html",
        request,
        status=error.status if error is not None else 200,
        training=training,
        jobs=jobs,
        datasets=datasets,
        runs_here=settings.recipes is not None,
        may_operate=has(request.user, "operate"),
        fault=str(error or ""),
    )


async def _job_page(
    request: Asked, ledger: Ledger, settings: ApiSettings, name: str, job_id: UUID, error: ReviewError | None = None
) -> Response[str]:
    tenant_id = request.user.tenant_id
    async with ledger.reading() as r:
        job = await show_job(r, tenant_id, job_id)
        printed = await read_log(r, LocalObjects(settings.artifacts), tenant_id, job_id)
    if job.model != name:
        raise UnknownJob
    return page(
        "training_job.html",
        request,
        status=error.status if error is not None else 200,
        job=job,
        printed=tail(printed),
        goes_on=job.state in {"waiting", "running"},
        may_operate=has(request.user, "operate"),
        fault=str(error or ""),
    )
