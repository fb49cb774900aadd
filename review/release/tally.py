"""What a trial has shown so far: its runs, and what people said of its disagreements.

Only what people decided speaks for or against the candidate:

| the case is | its outcome says | counts as |
|---|---|---|
| settled | the candidate's answer and not the other | a win |
| settled | the other answer and not the candidate's | a loss |
| settled | both were chosen, or it differs from neither | both right |
| settled | a third answer, or that none is right | both wrong |
| closed, for nobody could tell | | cannot tell |
| closed otherwise | | nothing |
| anything else | | open |
"""

from collections import Counter
from typing import Literal
from uuid import UUID

from gateway.store.ledger import ReadSession
from review.release.evidence import TrialEvidence
from review.release.intervals import wilson
from review.store.tallies import AskedDifference, candidate_of, differences_of, runs_of

Says = Literal["win", "loss", "both_right", "both_wrong", "cannot_tell", "open", "nothing"]


async def trial_evidence(r: ReadSession, trial_id: UUID) -> TrialEvidence:
    """What the trial has shown so far, from the ledger alone: the worker counts its runs there."""
    runs, candidate = await runs_of(r, trial_id), await candidate_of(r, trial_id)
    said = Counter(verdict_on(one, candidate) for one in await differences_of(r, trial_id))
    return TrialEvidence(
        compared=runs.compared,
        disagreements=runs.disagreements,
        missing=runs.missing,
        wins=said["win"],
        losses=said["loss"],
        both_right=said["both_right"],
        both_wrong=said["both_wrong"],
        cannot_tell=said["cannot_tell"],
        open=said["open"],
        win_share=wilson(said["win"], said["win"] + said["loss"]),
    )


def verdict_on(asked: AskedDifference, candidate: UUID) -> Says:
    """What people said of one disagreement, by the table above. Pure."""
    if asked.state == "closed":
        return "cannot_tell" if asked.closed_reason == "cannot_tell" else "nothing"
    if asked.status is None:
        return "open"
    if asked.status == "unanswerable":
        return "both_wrong"
    own = not asked.schema.differs(asked.outcome, asked.answer)
    other = not asked.schema.differs(asked.outcome, asked.other)
    if own == other or asked.choices == {"both"}:
        return "both_right" if own or other else "both_wrong"
    return "win" if own == (asked.release_id == candidate) else "loss"
