"""What happened so far, and what it comes to at the end of the play."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from demo.play.callers import Told
from demo.play.intervals import Share, percentile, share

BY_PEOPLE = ("approved", "corrected")
"""What an answer is called that a person gave."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A replayed rater's verdict on a case, as the desk recorded it."""

    verdict_id: str
    prediction_id: str
    case_kind: str
    kind: str
    answer: str
    settled: bool


class Notebook:
    """What the play writes down while it goes on."""

    def __init__(self) -> None:
        self.sent = 0
        self.told: list[Told] = []
        self.judged: list[Judgement] = []
        self.unrated: set[str] = set()
        """Cases that nobody ever rated, which are left to you."""

    @property
    def waiting(self) -> int:
        """How many callers wait now."""
        return self.sent - len(self.told)


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong answers that reached callers, over the same items: those whose caller has an answer."""

    automated_alone: Share
    with_review: Share


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of `make demo ONCE=1`. Shares are from 0 to 1, with 95 % intervals (Wilson)."""

    requests: int
    by_path: Mapping[str, int]
    holds: int
    verdicts: int
    outcomes: int
    verdict_to_answer_ms_p99: float | None
    errors_reaching_callers: Errors
    share_reviewed: Share
    failed_requests: int
    holds_true: int
    """Holds whose URL tells what people decided, or that they have not decided yet."""
    by_review_status: Mapping[str, int]
    by_model: Mapping[str, "ModelFigures"]
    verdict_to_answer_ms_p50: float | None
    seconds: float


class ModelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The same for one model."""

    requests: int
    holds: int
    with_people_still: int
    errors_reaching_callers: Errors


def figures(
    notebook: Notebook,
    alone: Mapping[str, str],
    latencies_ms: Sequence[float],
    *,
    holds_true: int,
    seconds: float,
) -> Figures:
    """What a play came to; `alone` is the model's own answer by the item's key. Pure."""
    told, judged = notebook.told, notebook.judged
    p50, p99 = (percentile(list(latencies_ms), at) for at in (0.5, 0.99))
    return Figures(
        requests=len(told),
        by_path=_counted(one.path or "none" for one in told),
        holds=sum(one.held for one in told),
        verdicts=len(judged),
        outcomes=sum(one.settled for one in judged),
        verdict_to_answer_ms_p99=_rounded(p99),
        errors_reaching_callers=errors(told, alone),
        share_reviewed=share(sum(one.held for one in told), len(told)),
        failed_requests=sum(one.failed for one in told),
        holds_true=holds_true,
        by_review_status=_counted(one.review_status or "none" for one in told),
        by_model={model: _of_model(told, alone, model) for model in sorted({one.item.model for one in told})},
        verdict_to_answer_ms_p50=_rounded(p50),
        seconds=round(seconds, 1),
    )


def errors(told: Sequence[Told], alone: Mapping[str, str]) -> Errors:
    """How often callers were told something wrong, and how often the model alone would have told them so. Pure."""
    answered = [one for one in told if one.answer is not None]
    wrong_alone = sum(alone[one.item.key] != one.item.truth for one in answered)
    return Errors(
        automated_alone=share(wrong_alone, len(answered)),
        with_review=share(sum(one.errs for one in answered), len(answered)),
    )


def _of_model(told: Sequence[Told], alone: Mapping[str, str], model: str) -> ModelFigures:
    ours = [one for one in told if one.item.model == model]
    return ModelFigures(
        requests=len(ours),
        holds=sum(one.held for one in ours),
        with_people_still=sum(one.held and one.review_status not in BY_PEOPLE for one in ours),
        errors_reaching_callers=errors(ours, alone),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
