"""What a person may see of a case: everything its judgement needs, and nothing that would sway it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.labels import Answer, LabelSchema
from gateway.store.ledger import ReadSession
from review.actors import Actor
from review.console.words import why_case
from review.desk.life import State, VerdictKind
from review.desk.pair import pair_of
from review.errors import UnknownCase
from review.store.claims import Claim, unended_claims
from review.store.outcomes import Outcome, outcomes_of
from review.store.terms import Terms, terms_of
from review.store.verdicts import KeptDraft, Verdict, draft_of, verdicts_of
from review.store.views import InputReference, Listed, Seen, see_case

DONE: tuple[State, ...] = ("settled", "expired", "closed")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as others may see it."""

    id: UUID
    person_id: UUID
    round: int
    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    adjudicated: bool
    created_us: int


class CaseCard(msgspec.Struct, frozen=True, kw_only=True):
    """A case with everything that its reviewer needs."""

    case: Listed
    why: str
    """Why it is before people, in words with the rule's numbers."""
    evidence: dict[str, float | str]
    """The rule's numbers; empty while they would give a blind case's answer away."""
    items: int
    """How many items its prediction has."""
    input: InputReference | None
    answer: Answer | None
    """The model's answer; none while the case is judged blind, or one of two unnamed answers is to be chosen."""
    answers: tuple[Answer | None, ...]
    """The two answers of a disagreement, first and second, without the names of those who gave them."""
    score: float | None
    labels: LabelSchema
    guideline: str
    """Markdown."""
    rationale: str
    """When a rationale is compulsory: `never`, `on_correction` or `always`."""
    caller: str
    caller_gone: bool
    """True for a hold whose caller no longer waits."""
    wait_until_us: int | None
    slots: int
    slots_taken: int
    claim: Claim | None
    """The live claim of whoever asks, if any."""
    draft: KeptDraft | None
    verdicts: tuple[Given, ...]
    """Hidden from those who may still judge this round, so that nobody follows the others."""
    outcomes: tuple[Outcome, ...]


async def read_card(r: ReadSession, actor: Actor, case_id: UUID) -> CaseCard:
    """The case as this person may see it. Raises: UnknownCase."""
    seen = await see_case(r, actor.tenant_id, case_id)
    if seen is None:
        raise UnknownCase
    terms, verdicts = await terms_of(r, case_id), await verdicts_of(r, case_id)
    now = await r.now_us()
    live = [claim for claim in await unended_claims(r, case_id) if claim.live(now)]
    outcomes = await outcomes_of(r, seen.listed.prediction_id, seen.listed.item)
    draft = await draft_of(r, case_id, actor.id)
    return _card(actor, seen, terms, verdicts, live, outcomes, draft)


def may_see_judgements(actor: Actor, seen: Seen, verdicts: Sequence[Verdict]) -> bool:
    """Whether nothing that this person sees can sway a judgement of hers any more. Pure."""
    if seen.listed.state in DONE:
        return True
    if seen.listed.state == "adjudicating" and actor.may("lead", seen.model_id):
        return True
    mine = (verdict for verdict in verdicts if verdict.person_id == actor.id)
    return any(verdict.round == seen.listed.round for verdict in mine)


def _card(
    actor: Actor,
    seen: Seen,
    terms: Terms,
    verdicts: Sequence[Verdict],
    live: Sequence[Claim],
    outcomes: Sequence[Outcome],
    draft: KeptDraft | None,
) -> CaseCard:
    judged = may_see_judgements(actor, seen, verdicts)
    pair = pair_of(seen.release_id, seen.other_release_id, seen.answer, seen.evidence, seen.draw)
    blind = (seen.listed.blind or pair is not None) and seen.listed.state not in DONE
    ballots = [one for one in verdicts if one.round == seen.listed.round and one.kind != "cannot_tell"]
    return CaseCard(
        case=seen.listed,
        why=why_case(
            seen.listed.kind,
            seen.listed.rule,
            seen.evidence,
            terms.policy,
            probability=seen.inclusion_probability,
            blind=blind,
        ),
        evidence={} if blind else seen.evidence,
        items=seen.items,
        input=seen.input,
        answer=None if blind else seen.answer,
        answers=pair.answers if pair is not None else (),
        score=None if blind else seen.score,
        labels=terms.schema,
        guideline=seen.guideline,
        rationale=terms.rationale,
        caller=seen.caller,
        caller_gone=seen.caller_withdrew or (seen.listed.kind == "hold" and not seen.listed.caller_waiting),
        wait_until_us=seen.wait_until_us,
        slots=terms.rule.slots,
        slots_taken=len(live) + len(ballots),
        claim=next((claim for claim in live if claim.person_id == actor.id), None),
        draft=draft,
        verdicts=tuple(_given(verdict) for verdict in verdicts) if judged else (),
        outcomes=tuple(outcomes) if judged else (),
    )


def _given(verdict: Verdict) -> Given:
    return Given(**{name: getattr(verdict, name) for name in Given.__struct_fields__})
