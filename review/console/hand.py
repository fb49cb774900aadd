"""A reviewer's hand: the card in front and two look-ahead cards, filled from the queues and kept by renewing."""

import asyncio
import contextlib
import time
from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from gateway.times import SECOND_US
from review.actors import Actor
from review.console.cards import caller_states
from review.console.store import CallerState
from review.desk.claim import COUNT_MAX, claim_next, renew_claim
from review.errors import ReviewError
from review.store.cases import claimable
from review.store.claims import Claim, live_claims_of
from review.store.queues import queues_of

RENEW_BELOW_S = 60.0
"""A claim that has less of its lease left is renewed while its reviewer is there."""
QUIET_S = 0.1
"""The shortest time between two looks, however often the bell rings."""
POLL_S = 1.0
"""The longest time between two looks, should no ring arrive."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A card that a page holds: its claim, its case, and what it says of the caller."""

    claim_id: UUID
    case_id: UUID
    caller: CallerState


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a page does not know yet."""

    claims: list[Claim]
    """Claims whose cards it lacks."""
    callers: dict[UUID, CallerState]
    """What changed about callers, by claim."""
    lost: list[UUID]
    """Its claims that have ended."""

    def __bool__(self) -> bool:
        return bool(self.claims or self.callers or self.lost)


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's live claims: those she had, and those just made."""

    had: list[Claim]
    fresh: list[Claim] = []

    @property
    def claims(self) -> list[Claim]:
        """All of them, oldest first."""
        return self.had + self.fresh


async def fill_hand(ledger: Ledger, actor: Actor) -> Hand:
    """The reviewer's hand, filled up to three where the queues have something for her."""
    mine, wanted = await _look(ledger, actor)
    if not wanted:
        return Hand(had=mine)
    async with ledger.writing() as w:
        return Hand(had=mine, fresh=await claim_next(w, actor, count=wanted))


async def _look(ledger: Ledger, actor: Actor) -> tuple[list[Claim], int]:
    """Her live claims, and how many more to claim: none while the queues are empty, for writing costs a turn."""
    async with ledger.reading() as r:
        mine = await live_claims_of(r, actor.id, await r.now_us())
        room = COUNT_MAX - len(mine)
        return mine, room if room > 0 and await _something_waits(r, actor) else 0


async def _something_waits(r: ReadSession, actor: Actor) -> bool:
    queues = await queues_of(r, actor.id, actor.tenant_id)
    return bool(await claimable(r, actor.id, list(queues.values()), now_us=await r.now_us(), limit=1))


async def keep_hand(ledger: Ledger, actor: Actor) -> None:
    """Renew those of her claims that will end soon; one that has ended meanwhile stays ended."""
    async with ledger.reading() as r:
        now = await r.now_us()
        mine = await live_claims_of(r, actor.id, now)
    soon = [claim for claim in mine if claim.expires_us - now < RENEW_BELOW_S * SECOND_US]
    for claim in soon:
        with contextlib.suppress(ReviewError):
            async with ledger.writing() as w:
                await renew_claim(w, actor, claim.id)


async def watch_hand(ledger: Ledger, actor: Actor, known: list[Held], *, present: bool, wait_s: float) -> News:
    """What a page does not know yet, as soon as there is something, or nothing after `wait_s` seconds.

    While the reviewer is away nothing is claimed or renewed, so that nobody's case lies in an empty chair.
    """
    until = time.monotonic() + wait_s
    if present:
        await keep_hand(ledger, actor)
    with ledger.bell.listen() as listener:
        while not (news := await _news(ledger, actor, known, present=present)):
            left = until - time.monotonic()
            if left <= 0:
                break
            await listener.wait(min(POLL_S, left))
            await asyncio.sleep(QUIET_S)
    return news


async def _news(ledger: Ledger, actor: Actor, known: list[Held], *, present: bool) -> News:
    claims = (await fill_hand(ledger, actor)).claims if present else (await _look(ledger, actor))[0]
    async with ledger.reading() as r:
        callers = await caller_states(r, [held.case_id for held in known])
    live, have = {claim.id for claim in claims}, {held.claim_id for held in known}
    return News(
        claims=[claim for claim in claims if claim.id not in have],
        callers={held.claim_id: callers[held.case_id] for held in known if callers[held.case_id] != held.caller},
        lost=[held.claim_id for held in known if held.claim_id not in live],
    )
