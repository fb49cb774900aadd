"""What a job of training is told, what comes of it, and what it is called. Pure."""

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

import msgspec

from review.learning.recipe import Parameter

TRAIN = "train"
FOLDER, LOG = "training", "log"
"""Beside the artifacts: a folder for each training that runs, and in it what its command prints."""
STARTS = 3
"""How often a training is begun; one that was interrupted so often is not begun again."""


class TrainArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be trained."""

    model_id: UUID
    model: str
    dataset: str
    recipe: str
    """The SHA-256 of the recipe."""
    seed: int
    parameters: Mapping[str, Parameter]
    why: str = ""
    starts: int = 0
    """How often it was begun."""

    @property
    def name(self) -> str:
        """The same for two trainings that would do the same."""
        same = msgspec.structs.replace(self, why="", starts=0)
        return f"{self.model}:{sha256(msgspec.json.encode(same, order='deterministic')).hexdigest()}"


class TrainingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a training."""

    log: str | None = None
    """The SHA-256 of what its command printed."""
    version: int | None = None
    release: str | None = None
    evaluation: UUID | None = None
    unevaluated: str = ""
    """Why the release was not evaluated; empty where it was."""
