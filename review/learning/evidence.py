"""What an evaluation says for or against a candidate, for the gate."""

from uuid import UUID

import msgspec

from gateway.store.ledger import ReadSession
from review.learning.report import Summary
from review.release.evidence import EvaluationEvidence
from review.store.evaluations import latest_against


async def latest_evaluation(r: ReadSession, release_id: UUID, baseline_id: UUID) -> EvaluationEvidence | None:
    """The latest evaluation of a release beside this baseline; none where there is none."""
    row = await latest_against(r, release_id, baseline_id)
    if row is None:
        return None
    summary = msgspec.json.decode(row.scores, type=Summary)
    return EvaluationEvidence(
        dataset=row.dataset,
        held_out=summary.held_out,
        overlap=summary.overlap,
        comparisons=summary.comparisons,
        elsewhere=summary.elsewhere,
    )
