"""How models are retrained, under `/api/v1/models/{model}/training`: the recipe, the trigger, and trainings as jobs."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.learning.recipe import Name
from review.learning.recipes import TrainingShown, declare_recipe, require_recipe, set_trigger, show_training
from review.learning.trained import TEXT
from review.learning.trainings import Asked, JobShown, ask_training, cancel, list_jobs, read_log, show_job


class Declaring(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the server's recipes is the model's."""

    name: Name


class Triggering(msgspec.Struct, frozen=True, kw_only=True):
    """After how many new corrections a model is retrained by itself."""

    after_corrections: Annotated[int, msgspec.Meta(ge=1, lt=10**9)]


class Requiring(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gate refuses releases of which nobody said how they were trained."""

    required: bool


class TrainingController(Controller):
    """Retraining."""

    path = "/api/v1/models/{model:str}"
    tags = ("training",)

    @get("/training", **needs("look"))
    async def show(self, model: str, ledger: Ledger, actor: Actor, settings: ApiSettings) -> TrainingShown:
        """How a model is retrained: its recipe, its trigger, and the corrections that came since the last dataset."""
        async with ledger.reading() as r:
            return await show_training(r, settings.recipes, actor.tenant_id, model)

    @put("/training/recipe", **needs("operate"))
    async def declare(
        self, model: str, data: Declaring, ledger: Ledger, actor: Actor, settings: ApiSettings
    ) -> TrainingShown:
        """Declare one of the server's recipes as a model's, with the digests of its files as they are now."""
        return await declare_recipe(ledger, settings.recipes, actor, model, data.name)

    @put("/training/required", **needs("operate"))
    async def require(
        self, model: str, data: Requiring, ledger: Ledger, actor: Actor, settings: ApiSettings
    ) -> TrainingShown:
        """Let the gate refuse releases of which nobody said how they were trained, or let them pass."""
        return await require_recipe(ledger, settings.recipes, actor, model, required=data.required)

    @put("/training/trigger", **needs("operate"))
    async def trigger(
        self, model: str, data: Triggering, ledger: Ledger, actor: Actor, settings: ApiSettings
    ) -> TrainingShown:
        """Freeze and train by itself after so many new corrections."""
        return await set_trigger(ledger, settings.recipes, actor, model, data.after_corrections)

    @delete("/training/trigger", status_code=200, **needs("operate"))
    async def no_trigger(self, model: str, ledger: Ledger, actor: Actor, settings: ApiSettings) -> TrainingShown:
        """Train only when somebody asks for it."""
        return await set_trigger(ledger, settings.recipes, actor, model, None)

    @post("/trainings", status_code=202, **needs("operate"))
    async def train(self, model: str, data: Asked, ledger: Ledger, actor: Actor, settings: ApiSettings) -> JobShown:
        """Train a model by its recipe on the training split of a dataset, as a job; answers at once."""
        return await ask_training(ledger, settings.recipes, actor, model, data)

    @get("/trainings", **needs("look"))
    async def list_all(self, model: str, ledger: Ledger, actor: Actor) -> list[JobShown]:
        """A model's trainings, the newest first."""
        async with ledger.reading() as r:
            return await list_jobs(r, actor.tenant_id, model)


class JobsController(Controller):
    """Jobs."""

    path = "/api/v1/jobs"
    tags = ("training",)

    @get("/", **needs("look"))
    async def list_all(self, ledger: Ledger, actor: Actor) -> list[JobShown]:
        """The jobs of every model, the newest first."""
        async with ledger.reading() as r:
            return await list_jobs(r, actor.tenant_id)

    @get("/{job_id:uuid}", **needs("look"))
    async def show(self, job_id: UUID, ledger: Ledger, actor: Actor) -> JobShown:
        """A job: its state, how far it is, and what came of it."""
        async with ledger.reading() as r:
            return await show_job(r, actor.tenant_id, job_id)

    @get("/{job_id:uuid}/log", **needs("inspect"))
    async def log(self, job_id: UUID, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Response[bytes]:
        """What a training's command has printed so far, as text."""
        async with ledger.reading() as r:
            printed = await read_log(r, LocalObjects(settings.artifacts), actor.tenant_id, job_id)
        return Response(printed, media_type=TEXT, headers={"cache-control": "no-store"})

    @post("/{job_id:uuid}/cancel", status_code=200, **needs("operate"))
    async def cancel(self, job_id: UUID, ledger: Ledger, actor: Actor) -> JobShown:
        """Cancel a training; its command and all that it started are gone within a second."""
        return await cancel(ledger, actor, job_id)
