"""How often each flag was on and which variants were served, counted beside the answers and told to the server. PURE.

The client counts what its own engine evaluates; ours answers mostly from what it has folded, so it is counted here: one
entry of a dict for each combination of answers, taken apart only when it is told. A flag is counted as Unleash's own
clients count it, whether the server knows it or not; what nobody could evaluate is not counted.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from flags.answer import FAILED, FlagView
from flags.moments import moment_text
from flags.names import of_model

_Said = str | bool
"""The variant that a flag served, or else whether it was on."""
_Counts = dict[tuple[str, _Said, _Said, _Said], int]
"""By model and what its three flags said: names and truths alone, which are hashed in no time."""


class Toggle(Struct, kw_only=True):
    """How often a flag was on and off, and how often each variant was served."""

    yes: int = 0
    no: int = 0
    variants: dict[str, int]


class Bucket(Struct, frozen=True, kw_only=True):
    """The counts of a stretch of time, as `POST /client/metrics` takes them."""

    start: str
    stop: str
    toggles: Mapping[str, Toggle]


class Taken(Struct, frozen=True, kw_only=True):
    """What was counted since a moment, on its way to the server."""

    since_us: int
    counts: _Counts


class Usage:
    """What was asked since it was last told."""

    def __init__(self, since_us: int) -> None:
        self._since_us = since_us
        self._counts: _Counts = {}

    def count(self, model: str, view: FlagView) -> None:
        """Count the answers of one request; where one of them failed, none."""
        one, two, three = view.automated, view.shadow, view.candidate
        if not view.loaded or one is FAILED or two is FAILED or three is FAILED:
            return
        key = (model, one.variant or one.enabled, two.variant or two.enabled, three.variant or three.enabled)
        self._counts[key] = self._counts.get(key, 0) + 1

    def take(self, now_us: int) -> Taken:
        """What was counted so far; counting begins anew."""
        taken = Taken(since_us=self._since_us, counts=self._counts)
        self._since_us, self._counts = now_us, {}
        return taken

    def give_back(self, taken: Taken) -> None:
        """Count once more what could not be told; the next bucket has it too."""
        self._since_us = taken.since_us
        for key, count in taken.counts.items():
            self._counts[key] = self._counts.get(key, 0) + count


def bucket_of(taken: Taken, now_us: int) -> Bucket | None:
    """What was taken, flag by flag; None where nothing was asked."""
    toggles: dict[str, Toggle] = {}
    for flag, said, count in _answers(taken.counts):
        toggle = toggles.setdefault(flag, Toggle(variants={}))
        if said is False:
            toggle.no += count
        else:
            toggle.yes += count
        if isinstance(said, str):
            toggle.variants[said] = toggle.variants.get(said, 0) + count
    if not toggles:
        return None
    return Bucket(start=moment_text(taken.since_us), stop=moment_text(now_us), toggles=toggles)


def _answers(counts: _Counts) -> Iterator[tuple[str, _Said, int]]:
    for (model, *answers), count in counts.items():
        for flag, said in zip(of_model(model).all(), answers, strict=True):
            yield flag, said, count
