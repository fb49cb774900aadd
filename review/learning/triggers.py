"""Retrains models by themselves: after so many new corrections a dataset is frozen and a training put in the line."""

from uuid import UUID

import structlog

from gateway.store.ledger import Ledger
from gateway.store.models import lock_model
from review.learning.child import in_child
from review.learning.datasets import Places
from review.learning.errors import LearningError
from review.learning.freezing import FreezeTask, Frozen
from review.learning.trainings import Asked, args_of, put_in_line
from review.store.jobs import was_asked
from review.store.recipes import Triggered, any_triggered, new_corrections, triggered_models

BY = "worker"
log = structlog.get_logger()


class Triggers:
    """Looks at the models that are retrained by themselves; what cannot be frozen is tried again when more came."""

    def __init__(self, ledger: Ledger, places: Places) -> None:
        self._ledger = ledger
        self._places = places
        self._tried: dict[UUID, int] = {}
        """Of each model how many new corrections there were when it was tried last."""

    async def run(self) -> int:
        """Freeze and ask for a training wherever it is time; returns how many trainings were asked for."""
        if not await any_triggered(self._ledger):
            return 0
        async with self._ledger.reading() as r:
            found = [(each, await new_corrections(r, each.model_id)) for each in await triggered_models(r)]
        due = [(each, count) for each, count in found if count >= each.after_corrections]
        return sum([await self._retrain(each, count) for each, count in due])

    async def _retrain(self, due: Triggered, count: int) -> bool:
        if self._tried.get(due.model_id) == count:
            return False
        self._tried[due.model_id] = count
        try:
            return await self._ask(due, await self._freeze(due), count)
        except LearningError as error:
            log.warning("retraining_not_asked", model=due.model, why=str(error))
            return False

    async def _freeze(self, due: Triggered) -> str:
        task = FreezeTask(
            ledger_url=self._ledger.url.render_as_string(hide_password=False), payloads_url=self._places.payloads_url,
            artifacts=str(self._places.artifacts.directory.root), tenant_id=due.tenant_id, model=due.model, by=BY,
        )  # fmt: skip
        return (await in_child("learning.freezing", task, Frozen)).dataset

    async def _ask(self, due: Triggered, dataset: str, count: int) -> bool:
        """Ask for the training unless it was ever asked for. Raises: LearningError."""
        asked = Asked(dataset=dataset, why=f"{count} new corrections; it is retrained after {due.after_corrections}.")
        async with self._ledger.writing() as w:
            model = await lock_model(w, due.tenant_id, due.model)
            assert model is not None  # models are never removed
            if await was_asked(w, due.tenant_id, (await args_of(w, model, asked)).name):
                return False
            await put_in_line(w, model, asked, BY)
        return True
