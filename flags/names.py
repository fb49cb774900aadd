"""The three flags of a model: their names, their polarity and what they mean.

| flag                | on                                                    | off, unknown or never loaded    |
|---------------------|-------------------------------------------------------|---------------------------------|
| `<model>.automated` | answers go out without a person, subject to policy    | every request waits for a person |
| `<model>.shadow`    | during a trial the candidate also runs, off the answer path | no shadow                 |
| `<model>.candidate` | during a trial whose canary is open the candidate answers   | the champion answers      |
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from flags.errors import NotAModelFlag

_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


class Kind(StrEnum):
    """What a flag of a model decides. Off is always the safe side."""

    AUTOMATED = "automated"
    SHADOW = "shadow"
    CANDIDATE = "candidate"

    @property
    def when_on(self) -> str:
        """What being on means, in words."""
        return _MEANINGS[self][0]

    @property
    def when_off(self) -> str:
        """What being off, unknown or never loaded means, in words."""
        return _MEANINGS[self][1]


_MEANINGS: Final = {
    Kind.AUTOMATED: ("answers go out without a person, subject to policy", "every request is held for a person"),
    Kind.SHADOW: ("during a trial the candidate also runs, off the answer path", "only the champion runs"),
    Kind.CANDIDATE: ("during a trial whose canary is open the candidate answers", "the champion answers"),
}


class ModelFlags(Struct, frozen=True, kw_only=True):
    """The names of a model's three flags."""

    automated: str
    shadow: str
    candidate: str

    def all(self) -> tuple[str, str, str]:
        """The three names, automated first."""
        return self.automated, self.shadow, self.candidate


def compose(model: str, kind: Kind) -> str:
    """The name of a model's flag, such as `sentiment.automated`."""
    return f"{model}.{kind.value}"


@lru_cache(maxsize=1024)
def of_model(model: str) -> ModelFlags:
    """The names of the model's three flags."""
    return ModelFlags(
        automated=compose(model, Kind.AUTOMATED),
        shadow=compose(model, Kind.SHADOW),
        candidate=compose(model, Kind.CANDIDATE),
    )


def parse(flag: str) -> tuple[str, Kind]:
    """The model and the kind of a flag; raises `NotAModelFlag` for any other name."""
    model, _, kind = flag.rpartition(".")
    if not _MODEL.fullmatch(model) or kind not in set(Kind):
        raise NotAModelFlag(flag=flag)
    return model, Kind(kind)


def describe(flag: str) -> str:
    """What the flag does, in one sentence; this is the description it is created with."""
    model, kind = parse(flag)
    return f"{model}: on, {kind.when_on}; off, {kind.when_off}."
