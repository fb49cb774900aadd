"""Answers a request once under its Idempotency-Key; a request without a key costs nothing here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.call import Call
from gateway.decision import Asked
from gateway.errors import LedgerUnavailable
from gateway.holding.holds import Holds
from gateway.holding.idempotency import ClaimedKey, IdempotencyKeys
from gateway.leaving import unless_left
from gateway.reply import Reply


class Once:
    """The right to answer a request, or the reply that it was given before."""

    def __init__(self, claimed: ClaimedKey | None = None, reply: Reply | None = None) -> None:
        self.claimed = claimed
        self.reply = reply

    async def told(self, reply: Reply) -> Reply:
        """Keep an answer under the key, then tell it; a refusal is not kept, so that a retry may fare better."""
        if self.claimed is not None and reply.status < 300:
            await self.claimed.finish(reply)
        return reply


_UNKEYED = Once()


@asynccontextmanager
async def once(keys: IdempotencyKeys, holds: Holds, call: Call, asked: Asked) -> AsyncIterator[Once]:
    """The request under its key; whatever fails inside, nothing is kept of it.

    Raises: IdempotencyKeyReused, IdempotencyKeyInUse, LedgerUnavailable.
    """
    if asked.idempotency_key is None:
        yield _UNKEYED
        return
    begun = await keys.begin(call.caller, call.route, asked.idempotency_key, call.body)
    if begun.answer is not None:
        yield Once(reply=begun.answer)
    elif begun.prediction_id is not None:
        yield Once(reply=await unless_left(holds.meet(begun.prediction_id, call.caller, asked), call.left))
    elif begun.claimed is not None:
        try:
            yield Once(claimed=begun.claimed)
        finally:
            with suppress(LedgerUnavailable):  # the key's lease ends by itself
                await begun.claimed.abandon()
