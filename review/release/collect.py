"""Collects what the gate rests on: the release beside the champion, the halt, the owners, and the evidence."""

from gateway.record.payloads import ObjectStore
from gateway.store.halts import halt_of
from gateway.store.ledger import Ledger, ReadSession
from review.learning.evidence import latest_evaluation
from review.release.candidate import Candidate, faults_of
from review.release.control import lowered_control
from review.release.evidence import EvaluationEvidence, TrialEvidence
from review.release.gate import Facts, GateReport, judge
from review.release.tally import trial_evidence
from review.store.declared import GATE
from review.store.recipes import rule_of, training_of
from review.store.releases import documents_of
from review.store.trials import open_trial_of


async def judged(ledger: Ledger, artifacts: ObjectStore, candidate: Candidate) -> GateReport:
    """What the gate says of a release now."""
    faults = await faults_of(artifacts, candidate)  # beside the transaction: it reads whole files
    async with ledger.reading() as r:
        evaluation, trial = await read_evidence(r, candidate)
        facts = await collect(r, candidate, faults, evaluation=evaluation, trial=trial)
        return judge(facts, await GATE.latest(r, candidate.now.model.id))


async def read_evidence(r: ReadSession, candidate: Candidate) -> tuple[EvaluationEvidence | None, TrialEvidence | None]:
    """The candidate's latest evaluation beside the champion, and what its open trial has shown so far."""
    evaluation = await latest_evaluation(r, candidate.release.id, candidate.now.champion.id)
    tried = await open_trial_of(r, candidate.now.model.id)
    if tried is None or tried[0].release_id != candidate.release.id:
        return evaluation, None
    return evaluation, await trial_evidence(r, tried[0].id)


async def collect(
    r: ReadSession,
    candidate: Candidate,
    faults: tuple[str, ...],
    *,
    evaluation: EvaluationEvidence | None,
    trial: TrialEvidence | None,
) -> Facts:
    """Everything that the gate rests on, with the evidence that was found."""
    model = candidate.now.model
    champion = (await documents_of(r, model, candidate.now.champion)).release
    release = (await documents_of(r, model, candidate.release)).release
    halt = await halt_of(r, model.id)
    return Facts(
        faults=faults,
        halted=f"{halt.why} ({halt.by})" if halt is not None else None,
        owner=release.card.about.owner,
        owners=release.card.labels.owners,
        unowned=release.card.labels.unowned,
        same_model=bool(release.artifact) and release.artifact == champion.artifact,
        lowered=lowered_control(champion, release),
        evaluation=evaluation,
        trial=trial,
        recipe_required=(await rule_of(r, model.id)).recipe_required,
        recipe=await training_of(r, candidate.release.id) is not None,
    )
