"""Trials under `/api/v1/models/{model}/trial`: one open a model."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, put
from litestar.params import Parameter

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import Number, Why
from review.api.traffic import traffic_of
from review.release.progress import TrialShown, show_trial
from review.release.trials import Opening, Trial, close_trial, let_answer, open_trial


class NewTrial(msgspec.Struct, frozen=True, kw_only=True):
    """Which release is tried, why, and which share of the disagreements people see."""

    release: Number
    disagreement_probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    why: Why = ""


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """Why the candidate may answer."""

    why: Why = ""


class TrialsController(Controller):
    """Trials."""

    path = "/api/v1/models/{model:str}/trial"
    tags = ("releases",)

    @get("/", **needs("inspect"))
    async def show_trial(self, model: str, ledger: Ledger, actor: Actor, settings: ApiSettings) -> TrialShown:
        """How the open trial stands, or the last one: agreement, wins and losses, run times, errors, missing runs."""
        return await show_trial(ledger, traffic_of(settings, ledger), actor.tenant_id, model)

    @put("/", **needs("operate"))
    async def open(self, model: str, data: NewTrial, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Trial:
        """Put a release on trial; its canary stays closed."""
        asked = Opening(number=data.release, disagreement_probability=data.disagreement_probability, why=data.why)
        return await open_trial(
            ledger, LocalObjects(settings.artifacts), actor, model, asked, settings.machine.memory_max_bytes
        )

    @put("/canary", **needs("operate"))
    async def let_answer(self, model: str, data: Canary, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Trial:
        """Open the canary: from now on the candidate answers where the flag `<model>.candidate` is on."""
        return await let_answer(ledger, actor, model, data.why, settings.machine.memory_max_bytes)

    @delete("/", status_code=200, **needs("operate"))
    async def close(
        self, model: str, ledger: Ledger, actor: Actor, why: Annotated[str, Parameter(max_length=2000)] = ""
    ) -> Trial:
        """Close the open trial; only the champion answers and runs."""
        return await close_trial(ledger, actor, model, why)
