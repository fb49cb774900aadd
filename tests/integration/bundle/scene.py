"""A candidate that was trained with a dataset, evaluated and on trial, and its bundle as a file."""

from pathlib import Path

import msgspec
import pytest

from review.actors import Actor
from review.bundle.taking import Taken, pieces, take
from review.learning.evaluating import evaluate
from review.learning.report import Evaluated
from review.release.trials import Opening, open_trial
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.test_evaluating import add_candidate, frozen, task
from tests.integration.release.scene import operator_of

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
"""For what no database makes a difference to."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of the model `numbers`: release 2 is the candidate."""

    learning: Learning
    dataset: str
    evaluated: Evaluated
    operator: Actor

    async def take(self, number: int = 2) -> Taken:
        """The bundle of a release."""
        folder = self.learning.scene.folder
        return await take(self.learning.ledger, self.learning.scene.artifacts, self.operator, MODEL, number, folder)

    async def file(self, name: str = "bundle.zip", number: int = 2) -> Path:
        """The bundle of a release as a file."""
        path = self.learning.scene.folder / name
        path.write_bytes(b"".join([piece async for piece in pieces((await self.take(number)).file)]))
        return path


async def make_ready(learning: Learning) -> Ready:
    """A candidate with everything that a bundle can hold."""
    dataset = await frozen(learning)
    await add_candidate(learning, dataset)
    evaluated = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset))
    operator = operator_of(learning.scene.tenant_id)
    opening = Opening(number=2, disagreement_probability=0.5, why="it may be better")
    await open_trial(learning.ledger, learning.scene.artifacts, operator, MODEL, opening)
    return Ready(learning=learning, dataset=dataset, evaluated=evaluated, operator=operator)
