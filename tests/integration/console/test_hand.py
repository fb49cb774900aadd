"""A reviewer's hand: what a page learns of it, and when, on both databases."""

import asyncio

from gateway.store.cases import set_waiting
from review.console.cards import caller_states
from review.console.hand import Held, fill_hand, watch_hand
from review.store.claims import live_claims_of
from tests.integration.desk.conftest import Desk
from tests.worlds import hold

SOON_S = 30.0
NOT_LONG_S = 0.01


async def held_by(desk: Desk) -> list[Held]:
    """Ada's hand as her page holds it, filled."""
    claims = (await fill_hand(desk.ledger, desk.actor("ada"))).claims
    async with desk.ledger.reading() as r:
        callers = await caller_states(r, [claim.case_id for claim in claims])
    return [Held(claim_id=one.id, case_id=one.case_id, caller=callers[one.case_id]) for one in claims]


async def test_a_hand_is_filled_up_to_three(desk: Desk) -> None:
    """Three cards are claimed and no more, and looking again claims nothing."""
    async with desk.ledger.writing() as w:
        for _ in range(5):
            await hold(w, desk.world)
    first = await fill_hand(desk.ledger, desk.actor("ada"))
    again = await fill_hand(desk.ledger, desk.actor("ada"))
    assert [len(first.fresh), len(again.had), len(again.fresh)] == [3, 3, 0]


async def test_a_new_hold_ends_the_wait(desk: Desk) -> None:
    """A page that waits is told of a hold as soon as it is committed."""
    watching = asyncio.create_task(watch_hand(desk.ledger, desk.actor("ada"), [], present=True, wait_s=SOON_S))
    async with desk.ledger.writing() as w:
        held = await hold(w, desk.world)
    news = await watching
    assert [claim.case_id for claim in news.claims] == list(held.cases)


async def test_an_empty_chair_claims_nothing(desk: Desk) -> None:
    """While nobody sits before the page, cases stay in the line."""
    async with desk.ledger.writing() as w:
        await hold(w, desk.world)
    news = await watch_hand(desk.ledger, desk.actor("ada"), [], present=False, wait_s=NOT_LONG_S)
    assert not news


async def test_a_claim_that_ended_is_told(desk: Desk) -> None:
    """A page learns that a lease is over; nothing claims the case anew behind its back while its reviewer is away."""
    async with desk.ledger.writing() as w:
        await hold(w, desk.world)
    known = await held_by(desk)
    desk.clock.pass_s(3600)
    news = await watch_hand(desk.ledger, desk.actor("ada"), known, present=False, wait_s=SOON_S)
    assert news.lost == [known[0].claim_id]


async def test_a_caller_who_leaves_is_told(desk: Desk) -> None:
    """A page learns that the caller has gone."""
    async with desk.ledger.writing() as w:
        held = await hold(w, desk.world)
    known = await held_by(desk)
    watching = asyncio.create_task(watch_hand(desk.ledger, desk.actor("ada"), known, present=True, wait_s=SOON_S))
    async with desk.ledger.writing() as w:
        await set_waiting(w, [held.prediction_id], waiting=False)
    assert (await watching).callers == {known[0].claim_id: "gone"}


async def test_a_lease_is_renewed_while_somebody_is_there(desk: Desk) -> None:
    """A claim with less than a minute left gets a whole lease."""
    async with desk.ledger.writing() as w:
        await hold(w, desk.world)
    known = await held_by(desk)
    desk.clock.pass_s(100)
    await watch_hand(desk.ledger, desk.actor("ada"), known, present=True, wait_s=NOT_LONG_S)
    async with desk.ledger.reading() as r:
        (claim,) = await live_claims_of(r, desk.actor("ada").id, desk.clock())
    assert claim.expires_us == desk.clock() + 120_000_000
