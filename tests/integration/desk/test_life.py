"""One person judges one case, end to end."""

from gateway.store.events import events_about
from review.desk.claim import claim_next
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from review.store.outcomes import outcomes_of
from tests.integration.desk.conftest import Desk
from tests.worlds import hold


async def test_a_claimed_and_judged_hold_has_one_outcome_and_an_event_for_each_state(desk: Desk) -> None:
    """A reviewer claims, corrects, and the item has outcome revision 1; each state change is told once."""
    async with desk.ledger.writing() as w:
        held = await hold(w, desk.world)
    ada = desk.actor("ada")
    async with desk.ledger.writing() as w:
        (claim,) = await claim_next(w, ada, count=3)
    judgement = Judgement(kind="correct", answer="positive", post_key="one")
    judged = await post_verdict(desk.ledger, ada, claim.id, claim.token, judgement)
    assert (judged.state, judged.outcome_revision) == ("settled", 1)
    again = await post_verdict(desk.ledger, ada, claim.id, claim.token, judgement)
    assert again == judged
    async with desk.ledger.reading() as r:
        outcomes = await outcomes_of(r, held.prediction_id, 1)
        case_events = [event.type for event in await events_about(r, f"case:{held.cases[0]}")]
        public = [event.type for event in await events_about(r, f"prediction:{held.prediction_id}")]
    assert [(outcome.answer, outcome.differs) for outcome in outcomes] == [("positive", True)]
    assert case_events == ["case.opened", "case.claimed", "case.settled"]
    assert public == ["prediction.held", "prediction.settled"]
