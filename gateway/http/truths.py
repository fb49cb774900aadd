"""Truth that services learned by themselves, recorded by the console: each request once."""

from contextlib import suppress

import msgspec

from gateway.errors import LedgerUnavailable
from gateway.holding.arriving import TruthBatch
from gateway.holding.idempotency import IdempotencyKeys
from gateway.http.lookup import LoggedPredictions
from gateway.plan import Caller
from gateway.reply import JSON, Reply


class Truths:
    """Takes what services learned, each request once, and has the console record it."""

    def __init__(self, console: LoggedPredictions, keys: IdempotencyKeys) -> None:
        self._console = console
        self._keys = keys

    async def record(self, caller: Caller, route: str, key: str, body: bytes, batch: TruthBatch) -> Reply:
        """What became of each entry; with a key that was answered, what was answered.

        Raises: IdempotencyKeyReused, IdempotencyKeyInUse, LedgerUnavailable, LogUnavailable.
        """
        begun = await self._keys.begin(caller, route, key, body)
        if begun.answer is not None:
            return begun.answer
        assert begun.claimed is not None
        try:
            receipts = await self._console.record_truths(batch)
            reply = Reply(200, JSON, msgspec.json.encode(receipts))
            await begun.claimed.finish(reply)
            return reply
        finally:
            with suppress(LedgerUnavailable):  # the key's lease ends by itself
                await begun.claimed.abandon()
