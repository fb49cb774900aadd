"""People between two unnamed answers: nothing tells whose they are, and what they choose is an ordinary outcome."""

from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from gateway.labels import Answer
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.work import OutcomeRow
from review.desk.cards import read_card
from review.desk.judge import Judged, post_verdict
from review.desk.ruling import Judgement
from review.errors import VerdictRefused
from review.store.verdicts import verdicts_of
from tests.integration.trials.scene import Scene

EVEN, ODD = 0.25, 0.25 + 2**-53


async def judge(scene: Scene, case_id: UUID, kind: str, answer: Answer | None = None, who: str = "ada") -> Judged:
    """One person's judgement of a case."""
    claim = await scene.holding.claim(case_id, who)
    judgement = Judgement(kind=kind, answer=answer, post_key=claim.id.hex)  # type: ignore[arg-type]
    return await post_verdict(scene.ledger, scene.holding.person(who), claim.id, claim.token, judgement)


async def test_a_card_shows_two_answers_and_no_names(scene: Scene) -> None:
    """Neither the model's answer nor score, evidence or draw; both answers, in the order of the draw."""
    for draw, shown in ((EVEN, ("negative", "positive")), (ODD, ("positive", "negative"))):
        async with scene.recording() as log:
            prediction = await log.answered(["positive"], draw=draw)
        await scene.follow()
        case = next(case for case in await scene.cases() if case.prediction_id == prediction)
        async with scene.ledger.reading() as r:
            card = await read_card(r, scene.holding.person(), case.id)
        assert (card.answers, card.answer, card.score, card.evidence) == (shown, None, None, {})
        assert str(scene.trial.candidate_id) not in msgspec.json.encode(card).decode()


async def test_the_candidates_answer_becomes_the_outcome(scene: Scene) -> None:
    """Choosing it corrects what the caller was told, who hears of it; the verdict records order, answers and choice."""
    (case_id,) = await scene.disagree("positive")
    judged = await judge(scene, case_id, "second")
    assert (judged.kind, judged.state, judged.outcome_revision) == ("correct", "settled", 1)
    async with scene.ledger.reading() as r:
        outcome = (await r.execute(select(OutcomeRow))).scalar_one()
        (verdict,) = await verdicts_of(r, case_id)
        events = set((await r.execute(select(EventRow.type))).scalars())
    assert (outcome.answer, outcome.case_id, outcome.differs) == ('"positive"', case_id, True)
    assert verdict.shown.chosen == "second"
    assert verdict.shown.answers == ("negative", "positive")
    assert verdict.shown.order == (str(scene.world.release_id), str(scene.trial.candidate_id))
    assert {"case.opened", "case.settled", "prediction.revised"} <= events


async def test_neither_needs_the_right_answer(scene: Scene) -> None:
    """Without one, with one of the two, and with a verdict that would name a release the judgement is refused."""
    (case_id,) = await scene.disagree("positive")
    claim = await scene.holding.claim(case_id)
    for kind, answer in (("neither", None), ("neither", "positive"), ("approve", None), ("correct", "neutral")):
        judgement = Judgement(kind=kind, answer=answer, post_key=claim.id.hex)  # type: ignore[arg-type]
        with pytest.raises(VerdictRefused):
            await post_verdict(scene.ledger, scene.holding.person(), claim.id, claim.token, judgement)
    judgement = Judgement(kind="neither", answer="neutral", post_key=claim.id.hex)
    judged = await post_verdict(scene.ledger, scene.holding.person(), claim.id, claim.token, judgement)
    assert (judged.kind, judged.state) == ("correct", "settled")


async def test_two_who_cannot_tell_ask_a_lead(scene: Scene) -> None:
    """A disagreement goes the way of every case: to somebody else, then to a lead."""
    (case_id,) = await scene.disagree("positive")
    assert (await judge(scene, case_id, "cannot_tell")).state == "partial"
    assert (await judge(scene, case_id, "cannot_tell", who="ben")).state == "adjudicating"
