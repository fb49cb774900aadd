"""The guard: whether a release that was promoted is as good as operators declared. Pure.

One watch:

| its sample | the limit and its 95 % interval | it is |
|---|---|---|
| none, or smaller than declared | | `too_few` |
| large enough | the interval begins above the limit | `breached` |
| large enough | the interval holds the limit | `unsure` |
| large enough | the interval ends at the limit or below | `within` |

All of them, since the promotion:

| the watches | the bake time | verdict |
|---|---|---|
| one is `breached` | whatever it is | Breached, by the figures of those |
| none is | not over yet | Watching |
| none is | over | Passed, which says of whom it knows too little |
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal, Protocol

import msgspec

from gateway.times import SECOND_US
from review.release.evidence import Interval

WatchName = Literal["errors", "reversals", "latency", "refusals"]
Standing = Literal["too_few", "within", "unsure", "breached"]
OnBreach = Literal["advise", "pause", "roll_back"]
LOOK_S = 2.0
LOOK_SHARE = 0.01
"""A watch is looked at again when this share of the time since the promotion has passed since the last look."""
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
MAX_BAKE_S = 90 * DAY_S

_Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
_Sample = Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class ShareLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How large a share may be, and from how many on it counts."""

    limit: _Share
    min_sample: _Sample = 50


class LatencyLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Within how many seconds a quantile of the answers must be there, and from how many answers on that counts."""

    limit_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    quantile: Annotated[float, msgspec.Meta(ge=0.5, le=0.999)] = 0.99
    min_sample: _Sample = 1000


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched on a model after a promotion, for how long, and what happens on a breach."""

    errors: ShareLimit | None = None
    """The share of wrong answers, estimated from audits."""
    reversals: ShareLimit | None = None
    """The share of what people judged, held and audited, that they corrected."""
    latency: LatencyLimit | None = None
    refusals: ShareLimit | None = None
    """The share of requests that were refused, or whose run failed."""
    bake_s: Annotated[float, msgspec.Meta(gt=0, le=MAX_BAKE_S)] = DAY_S
    on_breach: OnBreach = "advise"

    @property
    def watches(self) -> tuple[WatchName, ...]:
        """What is watched."""
        names: tuple[WatchName, ...] = ("errors", "reversals", "latency", "refusals")
        return tuple(name for name in names if getattr(self, name) is not None)

    @property
    def named(self) -> str:
        """What is watched, as people list it."""
        return _listed(self.watches)

    @property
    def told(self) -> str:
        """What is watched and what happens on a breach, in words."""
        return f"{self.named}, {self.on_breach.replace('_', ' ')}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one watch has found, in numbers and in plain words."""

    watch: WatchName
    standing: Standing
    sample: int
    found: Interval | None
    """Shares from 0 to 1, latency in seconds; none where there is too little for one."""
    limit: float
    min_sample: int
    told: str


class Evidence(Protocol):
    """What a watch supplies. An interval is one way to come to a standing; a test that may stop at any time another."""

    def figure(self) -> Figure:
        """The figure that the verdict rests on."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A share with its interval, beside its limit."""

    watch: Literal["errors", "reversals", "refusals"]
    found: Interval | None
    limit: ShareLimit
    drawn: int | None = None
    """How many items were drawn to be judged; none where everything counts by itself."""

    def figure(self) -> Figure:
        """The share in numbers and words."""
        what, unit = _SHARES[self.watch]
        of = f"of {self.drawn:,} drawn {unit}" if self.drawn is not None else unit
        words = _Words(what=what, unit=of, number=lambda share: f"{share:.1%}")
        sample = self.found.n if self.found is not None else 0
        return _figure(self.watch, sample, self.found, self.limit.limit, self.limit.min_sample, words)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """A quantile of the answers' times with its interval, beside its limit."""

    found: Interval | None
    """None while there are too few answers for an interval of this quantile."""
    answers: int
    limit: LatencyLimit

    def figure(self) -> Figure:
        """The quantile in numbers and words."""
        what = f"the {self.limit.quantile:.4g} quantile of the answers' times"
        words = _Words(what=what, unit="answers", number=lambda seconds: f"{seconds * 1000:,.1f} ms")
        return _figure("latency", self.answers, self.found, self.limit.limit_s, self.limit.min_sample, words)


class Watching(msgspec.Struct, frozen=True, kw_only=True, tag="watching"):
    """Nothing is breached, and the bake time is not over."""

    figures: tuple[Figure, ...]


class Passed(msgspec.Struct, frozen=True, kw_only=True, tag="passed"):
    """Nothing is breached, and the bake time is over."""

    figures: tuple[Figure, ...]
    told: str


class Breached(msgspec.Struct, frozen=True, kw_only=True, tag="breached"):
    """Something is worse than declared, as far as its interval tells."""

    figures: tuple[Figure, ...]
    told: str


Verdict = Watching | Passed | Breached


def judge(evidence: Iterable[Evidence], *, until_us: int, now_us: int) -> Verdict:
    """The verdict on everything that the watches found since the promotion."""
    figures = tuple(each.figure() for each in evidence)
    breached = [each.told for each in figures if each.standing == "breached"]
    if breached:
        return Breached(figures=figures, told=" ".join(breached))
    if now_us < until_us:
        return Watching(figures=figures)
    return Passed(figures=figures, told=" ".join(["The bake time is over and no limit is broken.", *_unknown(figures)]))


def is_due(*, from_us: int, until_us: int, looked_us: int | None, now_us: int) -> bool:
    """Whether a watch is looked at again: soon after the promotion often, later seldom, and when its bake time is over.

    A look reads everything since the promotion, so that looks at a constant pace would cost ever more; and the fewer
    looks, the less often an interval errs in one of them.
    """
    if looked_us is None or now_us >= until_us:
        return True
    return now_us - looked_us >= max(LOOK_S * SECOND_US, LOOK_SHARE * (now_us - from_us))


def standing_of(found: Interval | None, limit: float, min_sample: int) -> Standing:
    """How a figure stands to its limit, by the table above."""
    if found is None or found.n < min_sample:
        return "too_few"
    if found.low > limit:
        return "breached"
    return "unsure" if found.high > limit else "within"


def _unknown(figures: tuple[Figure, ...]) -> list[str]:
    few = [each.watch for each in figures if each.standing == "too_few"]
    return [f"Too little came to tell of {_listed(few)}."] if few else []


def _listed(names: Sequence[str]) -> str:
    """Such as `errors, latency and refusals`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def foretold(declaration: Declaration | None) -> str:
    """What will be watched after a promotion, in a sentence."""
    if declaration is None:
        return "Nothing is watched after the promotion: no guard is declared."
    hours, act = declaration.bake_s / HOUR_S, _ACTS[declaration.on_breach]
    return f"The guard watches {declaration.named} for {hours:.4g} h after the promotion, and on a breach {act}."


_ACTS: dict[OnBreach, str] = {
    "advise": "tells it",
    "pause": "halts the model, so that people answer",
    "roll_back": "rolls back",
}
_SHARES = {
    "errors": ("the share of wrong automatic answers", "audits"),
    "reversals": ("the share of judged items that people corrected", "judged items"),
    "refusals": ("the share of requests that were refused or failed", "requests"),
}
_ENDS: dict[Standing, str] = {
    "within": "the limit holds",
    "unsure": "it may be above, and more would tell",
    "breached": "it is above",
}


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    unit: str
    number: Callable[[float], str]


def _figure(
    watch: WatchName, sample: int, found: Interval | None, limit: float, min_sample: int, words: _Words
) -> Figure:
    standing = standing_of(found, limit, min_sample)
    what = f"{words.what[0].upper()}{words.what[1:]}"
    if found is None or standing == "too_few":
        told = f"{what} is not known yet: {sample:,} {words.unit} so far, and {min_sample:,} are needed."
    else:
        ends = f"95 % interval {words.number(found.low)} to {words.number(found.high)}, {sample:,} {words.unit}"
        allowed = f"{words.number(limit)} is allowed: {_ENDS[standing]}"
        told = f"{what} is {words.number(found.value)} ({ends}), and {allowed}."
    return Figure(
        watch=watch, standing=standing, sample=sample, found=found, limit=limit, min_sample=min_sample, told=told
    )
