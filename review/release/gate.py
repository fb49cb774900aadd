"""The gate: may a release take the champion's place? Pure; the worst check wins.

| check | Promote | Wait | Refuse |
|---|---|---|---|
| `artifacts` | everything attached is kept, byte for byte | | missing, changed, other tensors, or withdrawn |
| `halt` | the model is not halted | | it is halted |
| `owner` | somebody owns its errors, and each category of them | | nobody does, or a category has no owner |
| `evaluation` | not needed: the champion's own model file | none, or of too few held-out items | they were trained on |
| | | no training data is attached: nobody can tell whether they were | |
| | each comparison's low end is above -margin | a comparison's interval holds -margin | one lies wholly below |
| `trial` | not needed: the champion's own model file | there is none, or too little is decided | |
| | people decide for it not less often than for the champion | whether they do may be chance | it loses for certain |
| `recipe` | somebody said how it was trained; not needed: the champion's own model file | | nobody did |

A comparison is the difference candidate minus champion, `overall` and in each slice, with its 95 % interval. Wins and
losses are the disagreements that people decided for the one and for the other; the candidate loses for certain when the
interval of its share of wins lies wholly below one half, and does not lose when the share itself is one half or more.

Of a release that ran on another server `evaluation` says where and when, and that nobody can pin what runs there.

What a difference may be, and how much must be known of it, are the thresholds that operators declared for the model; no
card and no release says anything of them.

The categories of errors are the reasons that the release's own label schema lists. Those that every model has name no
part of it that somebody else could own, so they are with the owner of the model.

A release that only raises human control needs neither `evaluation`, `trial` nor `halt`, and its categories are the
champion's, so that nobody asks who owns them: it may go live at once.
`recipe` is asked for only where the model's operators require it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from review.release.declared import Declared
from review.release.evidence import Comparison, EvaluationEvidence, TrialEvidence

Verdict = Literal["promote", "wait", "refuse"]
CheckName = Literal["artifacts", "halt", "owner", "evaluation", "trial", "recipe"]
ORDER: tuple[Verdict, ...] = ("promote", "wait", "refuse")
"""From the best to the worst."""
EVEN = 0.5
_Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
UNKNOWN_OVERLAP = (
    "No training data is attached to it, so nobody can tell whether it was trained on the held-out items: make a "
    "release of its version that names the dataset with --data, and evaluate that."
)


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gate asks for: these numbers, until a model's operators declare others."""

    margin: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.02
    """So much worse, as a share of right answers, may a candidate be; below it the difference does not matter."""
    min_held_out: _Count = 100
    """Fewer held-out items say nothing."""
    min_decided: _Count = 20
    """Fewer disagreements that people have decided for either say nothing."""

    @property
    def told(self) -> str:
        """What is asked for, in words."""
        evaluation = f"at most {percent(self.margin)} worse on {self.min_held_out} held-out items"
        return f"{evaluation}, {self.min_decided} decided disagreements"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the gate rests on."""

    faults: tuple[str, ...]
    """Every reason for which nobody may promote the release, whatever is forced."""
    halted: str | None
    """Why the model is halted; none while it is not."""
    owner: str
    """Who owns the errors of the model; empty where nobody does."""
    owners: Mapping[str, str] = {}
    """Who owns the errors of a category."""
    unowned: tuple[str, ...] = ()
    """The categories of errors that nobody owns."""
    same_model: bool
    """Whether both releases run the same model file: then their answers are the same before policy."""
    lowered: tuple[str, ...]
    """Why it does not only raise human control beside the champion; none when it does."""
    evaluation: EvaluationEvidence | None
    trial: TrialEvidence | None
    recipe_required: bool = False
    """Whether operators ask that somebody said how it was trained."""
    recipe: bool = False
    """Whether somebody did."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One named check with its verdict and every reason for it, each a sentence."""

    name: CheckName
    verdict: Verdict
    reasons: tuple[str, ...]


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says of a release beside the champion."""

    verdict: Verdict
    at_once: bool
    """Whether it only raises human control, so that no evidence is asked for."""
    checks: tuple[Check, ...]
    thresholds: Thresholds
    terms: Declared[Thresholds] | None = None
    """Who declared them last and why, or cleared them; none where nobody ever did."""
    asks: str = ""
    """The thresholds in words."""

    def reasons(self, *verdicts: Verdict) -> tuple[str, ...]:
        """The reasons of the checks that said one of these."""
        return tuple(reason for check in self.checks if check.verdict in verdicts for reason in check.reasons)


def judge(facts: Facts, terms: Declared[Thresholds] | None = None) -> GateReport:
    """The gate's report under the terms that were declared last: the worst verdict of all checks."""
    thresholds = in_force(terms)
    at_once = not facts.lowered
    checks = [_artifacts(facts), _owner(facts, categories=not at_once)]
    if not at_once:
        checks += [_halt(facts), _evaluation(facts, thresholds), _trial(facts, thresholds)]
        checks += [_recipe(facts)] if facts.recipe_required else []
    return GateReport(
        verdict=max((check.verdict for check in checks), key=ORDER.index),
        at_once=at_once,
        checks=tuple(checks),
        thresholds=thresholds,
        terms=terms,
        asks=thresholds.told,
    )


def in_force(terms: Declared[Thresholds] | None) -> Thresholds:
    """The thresholds that were declared last; those of every model where none were, or they were cleared."""
    return terms.declaration if terms is not None and terms.declaration is not None else Thresholds()


def lowered_terms(was: Thresholds, shall: Thresholds) -> tuple[str, ...]:
    """Each term by which less is asked for than before; none where as much is, or more."""
    less = {
        "margin": shall.margin > was.margin,
        "min_held_out": shall.min_held_out < was.min_held_out,
        "min_decided": shall.min_decided < was.min_decided,
    }
    return tuple(name for name, is_less in less.items() if is_less)


def percent(share: float) -> str:
    """A share in percent, with one decimal place at least and four at most."""
    whole, _, places = f"{share:.4%}".removesuffix("%").partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}%"


def _artifacts(facts: Facts) -> Check:
    if facts.faults:
        return Check(name="artifacts", verdict="refuse", reasons=facts.faults)
    return _passes("artifacts", "Everything that is attached is kept, byte for byte as its digest says.")


def _owner(facts: Facts, *, categories: bool) -> Check:
    """Whether somebody owns the model's errors and, where it is asked for, each category of them."""
    reasons: tuple[str, ...] = () if facts.owner.strip() else ("Nobody owns the model's errors.",)
    if categories and facts.unowned:
        reasons += (f"Nobody owns the errors of {_listed(facts.unowned)}: name an owner in [labels.owners].",)
    if reasons:
        return Check(name="owner", verdict="refuse", reasons=reasons)
    others = "".join(f", those of {category} by {owner}" for category, owner in facts.owners.items())
    return _passes("owner", f"Its errors are owned by {facts.owner}{others}.")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _halt(facts: Facts) -> Check:
    if facts.halted is not None:
        return Check(name="halt", verdict="refuse", reasons=(f"The model is halted: {facts.halted}",))
    return _passes("halt", "The model is not halted.")


def _evaluation(facts: Facts, asked: Thresholds) -> Check:
    found = facts.evaluation
    if facts.same_model:
        return _passes("evaluation", "It runs the champion's own model file, so it answers as the champion does.")
    if found is None:
        return _waits("evaluation", "It was not evaluated beside the champion: freeze a dataset and evaluate it.")
    if found.overlap:
        reason = f"{found.overlap} of the {found.held_out} held-out items were in its training data."
        return Check(name="evaluation", verdict="refuse", reasons=(reason,))
    judged = list(_judged(found, asked))
    worst = max((verdict for verdict, _ in judged), key=ORDER.index)
    reasons = tuple(reason for verdict, reason in judged if verdict == worst)
    return Check(name="evaluation", verdict=worst, reasons=(*reasons, *found.elsewhere))


def _judged(found: EvaluationEvidence, asked: Thresholds) -> Iterator[tuple[Verdict, str]]:
    """What an evaluation says for and against the candidate, each with its verdict."""
    if found.overlap is None:
        yield "wait", UNKNOWN_OVERLAP
    if found.held_out < asked.min_held_out:
        yield "wait", f"Only {found.held_out} held-out items were evaluated, and {asked.min_held_out} are needed."
    elif not found.comparisons:
        yield "wait", "The evaluation compares nothing."
    else:
        yield from (_comparison(each, asked.margin) for each in found.comparisons)


def _comparison(compared: Comparison, margin: float) -> tuple[Verdict, str]:
    """The verdict of one comparison with its reason."""
    between = compared.difference
    interval = f"95 % interval {between.low:+.1%} to {between.high:+.1%}, {between.n} items"
    moved = f"fixes {compared.fixes}, breaks {compared.breaks}"
    told = f"{compared.what}: {between.value:+.1%} right answers ({interval}, {moved})"
    if between.low > -margin:
        return "promote", f"{told}: not worse by more than {percent(margin)}."
    if between.high < -margin:
        return "refuse", f"{told}: worse by more than {percent(margin)}."
    return "wait", f"{told}: it may be worse by more than {percent(margin)}; more held-out items would tell."


def _trial(facts: Facts, asked: Thresholds) -> Check:
    found = facts.trial
    if facts.same_model:
        return _passes("trial", "It runs the champion's own model file, so nothing has to be tried.")
    if found is None:
        return _waits("trial", "No trial of it is open: open one, and switch its shadow flag on.")
    decided, share = found.wins + found.losses, found.win_share
    if decided < asked.min_decided or share is None:
        return _waits("trial", *_too_little(found, decided, asked))
    told = f"People decided {decided} disagreements, {found.wins} for it and {found.losses} against it"
    if share.high < EVEN:
        return Check(name="trial", verdict="refuse", reasons=(f"{told}: it loses.",))
    if share.value < EVEN:
        return _waits("trial", f"{told}: it may lose; more decided disagreements would tell.")
    return _passes("trial", f"{told}.")


def _recipe(facts: Facts) -> Check:
    if facts.same_model:
        return _passes("recipe", "It runs the champion's own model file, so nothing was trained.")
    if not facts.recipe:
        return Check(name="recipe", verdict="refuse", reasons=("Nobody said how it was trained.",))
    return _passes("recipe", "How it was trained is recorded.")


def _too_little(found: TrialEvidence, decided: int, asked: Thresholds) -> Iterator[str]:
    yield f"People decided {decided} of its disagreements for either side, and {asked.min_decided} are needed."
    if found.open:
        yield f"{found.open} disagreements wait for people."
    if found.compared == 0:
        yield "Nothing was answered by both releases yet."


def _passes(name: CheckName, reason: str) -> Check:
    return Check(name=name, verdict="promote", reasons=(reason,))


def _waits(name: CheckName, *reasons: str) -> Check:
    return Check(name=name, verdict="wait", reasons=reasons)
