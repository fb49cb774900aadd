"""How a trial stands, in figures with their intervals and in plain words."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from gateway.times import now_us
from review.errors import ReviewError
from review.release.evidence import Interval, TrialEvidence
from review.release.intervals import wilson
from review.release.looking import known_release
from review.release.tally import trial_evidence
from review.store.tallies import TrialFacts, latest_trial
from review.traffic.beside import RunFigures, TrialRuns
from review.traffic.query import TrafficReader, Window


class NoTrial(ReviewError):
    """The model '{model}' has had no trial."""

    status = 404
    code = "no-trial"


class TrialShown(msgspec.Struct, frozen=True, kw_only=True):
    """A model's open trial, or its last one."""

    id: UUID
    model: str
    champion: str
    """Which release serves now."""
    candidate: str
    canary_open: bool
    disagreement_probability: float
    opened_by: str
    opened_us: int
    closed_us: int | None
    evidence: TrialEvidence
    agreement: Interval | None
    """The share of compared items about which the two agree."""
    runs: tuple[RunFigures, ...]
    lost: int
    """Shadow runs without a trace: still queued, or lost with a killed process."""
    said: tuple[str, ...]
    """The figures in plain words."""


class TrialSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a release's last trial has shown, from the ledger alone."""

    canary_open: bool
    opened_by: str
    opened_us: int
    closed_us: int | None
    evidence: TrialEvidence
    agreement: Interval | None
    said: tuple[str, ...]


async def summarize_trial(r: ReadSession, model_id: UUID, release_id: UUID) -> TrialSummary | None:
    """What the last trial of a release has shown; none where it had none."""
    trial = await latest_trial(r, model_id, release_id)
    if trial is None:
        return None
    evidence = await trial_evidence(r, trial.id)
    return TrialSummary(
        canary_open=trial.canary_open,
        opened_by=trial.opened_by,
        opened_us=trial.opened_us,
        closed_us=trial.closed_us,
        evidence=evidence,
        agreement=agreement_of(evidence),
        said=tuple(told(evidence)),
    )


async def show_trial(
    ledger: Ledger, traffic: TrafficReader, tenant_id: UUID, name: str, number: int | None = None
) -> TrialShown:
    """How the model's open trial stands, or its last one; the last one of a release where its number is given.

    Raises: UnknownModel, NoSuchRelease, NoTrial.
    """
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        release_id = (await known_release(r, model, number)).id if number is not None else None
        trial = await latest_trial(r, model.id, release_id)
        if trial is None:
            raise NoTrial(model=name)
        evidence = await trial_evidence(r, trial.id)
    until = now_us() if trial.closed_us is None else trial.closed_us
    window = Window(tenant=tenant_id, since_us=trial.opened_us, until_us=until, model=name)
    return _shown(name, trial, evidence, await traffic.trial_runs(window, trial.id))


def _shown(name: str, trial: TrialFacts, evidence: TrialEvidence, runs: TrialRuns) -> TrialShown:
    return TrialShown(
        id=trial.id,
        model=name,
        champion=f"{name}@{trial.champion}",
        candidate=f"{name}@{trial.candidate}",
        canary_open=trial.canary_open,
        disagreement_probability=trial.disagreement_probability,
        opened_by=trial.opened_by,
        opened_us=trial.opened_us,
        closed_us=trial.closed_us,
        evidence=evidence,
        agreement=agreement_of(evidence),
        runs=runs.figures,
        lost=runs.lost,
        said=tuple(told(evidence, runs.lost)),
    )


def agreement_of(evidence: TrialEvidence) -> Interval | None:
    """The share of compared items about which the two agree. Pure."""
    return wilson(evidence.compared - evidence.disagreements, evidence.compared)


def told(evidence: TrialEvidence, lost: int = 0) -> Iterator[str]:
    """The evidence in plain words, which say when a difference may be chance. Pure."""
    agreement = agreement_of(evidence)
    if agreement is None:
        yield "Nothing has been compared yet."
    else:
        yield f"The two give the same answer to {share_told(agreement, 'items')}."
    yield _wins_told(evidence)
    if evidence.open:
        yield f"{_count(evidence.open, 'difference')} still with people."
    if missing := evidence.missing + lost:
        yield f"{_count(missing, 'shadow run')} came to nothing or left no trace so far: they count for neither."


def _wins_told(evidence: TrialEvidence) -> str:
    share = evidence.win_share
    if share is None:
        return "People have not decided for either of the two yet."
    begun = f"Where the two differ, people chose the candidate in {share_told(share, 'decided differences')}"
    if share.low > 0.5:
        return f"{begun}: more often than chance explains."
    if share.high < 0.5:
        return f"{begun}: less often than chance explains."
    return f"{begun}: this may be chance, for the interval includes one half."


def share_told(share: Interval, of: str) -> str:
    """A share with its size and its interval."""
    ends = f"{100 * share.low:.1f} % to {100 * share.high:.1f} %"
    return f"{100 * share.value:.1f} % of {share.n:,} {of} (95 % interval {ends})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
