"""Idempotency-Key: a request that is sent again is the same request.

A key belongs to a caller and a route, and carries a fingerprint of the body. What a second request with it meets:

| the key is | with the same body | with another body |
|---|---|---|
| unknown or expired | it is decided | it is decided |
| being decided, its owner alive | 409 | 422 |
| being decided, its owner's lease over | it takes over | 422 |
| decided, with a hold | the hold's current truth | 422 |
| decided, with an answer | that answer | 422 |

It is kept for 24 hours, or as long as its hold. Whoever fails before a decision abandons it, and nothing is kept.
"""

from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec

from gateway.holding.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from gateway.ids import new_id
from gateway.plan import Caller
from gateway.protocol.binary import Body
from gateway.reply import Reply
from gateway.store import idempotency as store
from gateway.store.idempotency import KeyName, KeyState
from gateway.store.ledger import Ledger, WriteSession
from gateway.times import after_us

LEASE_S = 30.0
KEPT_S = 86_400.0
_REPLY = msgspec.msgpack.Decoder(Reply)

Met = Literal["reused", "in_use", "taken_over", "held", "answered", "expired"]


def met(state: KeyState, fingerprint: str, now_us: int) -> Met:
    """What a request with this fingerprint meets, by the table above."""
    if state.expires_us <= now_us and not state.prediction_open:
        return "expired"
    if state.fingerprint != fingerprint:
        return "reused"
    if state.state == "running":
        return "taken_over" if state.owner_until_us <= now_us else "in_use"
    return "held" if state.prediction_id is not None else "answered"


class ClaimedKey:
    """The right to answer a request with a key: end it with `bind`, `finish` or `abandon`."""

    def __init__(self, ledger: Ledger, name: KeyName, owner: str) -> None:
        self._ledger = ledger
        self._name = name
        self._owner = owner
        self._ended = False

    async def bind_in(self, w: WriteSession, prediction_id: UUID) -> None:
        """Bind the key to a hold in the hold's own transaction."""
        values = {"state": "decided", "prediction_id": prediction_id, "answer": None}
        await store.change_key(w, self._name, values, owner=self._owner)

    def bound(self) -> None:
        """Note that the transaction of `bind_in` was committed."""
        self._ended = True

    async def bind(self, prediction_id: UUID) -> None:
        """From now on, the key tells this prediction's current truth. Raises: LedgerUnavailable."""
        async with self._ledger.writing() as w:
            await self.bind_in(w, prediction_id)
        self.bound()

    async def finish(self, answer: Reply) -> None:
        """From now on, the key tells this answer. Raises: LedgerUnavailable."""
        values = {"state": "decided", "answer": msgspec.msgpack.encode(answer)}
        async with self._ledger.writing() as w:
            await store.change_key(w, self._name, values, owner=self._owner)
        self._ended = True

    async def abandon(self) -> None:
        """Keep nothing, because the request came to nothing; once the key has ended, this does nothing."""
        if self._ended:
            return
        async with self._ledger.writing() as w:
            await store.drop_key(w, self._name, self._owner)
        self._ended = True


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What a request with a key has to do: decide under `claimed`, tell a prediction's truth, or repeat an answer."""

    claimed: ClaimedKey | None = None
    prediction_id: UUID | None = None
    answer: Reply | None = None


class IdempotencyKeys:
    """The keys that this process looks after; `process` names it among the owners."""

    def __init__(self, ledger: Ledger, process: str, *, lease_s: float = LEASE_S) -> None:
        self._ledger = ledger
        self._process = process
        self._lease_s = lease_s

    async def begin(self, caller: Caller, route: str, key: str, body: Body) -> Begun:
        """What to do with a request under this key. Costs one insert for a key that is new.

        Raises: IdempotencyKeyReused, IdempotencyKeyInUse, LedgerUnavailable.
        """
        name = KeyName(
            tenant_id=caller.tenant_id,
            api_key_id=caller.key_id,
            route=route[:200],
            key_digest=sha256(key.encode()).hexdigest(),
        )
        fingerprint = sha256(body).hexdigest()
        owner = f"{self._process[:60]}:{new_id().hex}"
        async with self._ledger.writing() as w:
            return await self._begin(w, name, fingerprint, owner)

    async def _begin(self, w: WriteSession, name: KeyName, fingerprint: str, owner: str) -> Begun:
        now_us = await w.now_us()
        fresh = {
            "fingerprint": fingerprint,
            "owner": owner,
            "owner_until_us": after_us(now_us, self._lease_s),
            "expires_us": after_us(now_us, KEPT_S),
        }
        claimed = Begun(claimed=ClaimedKey(self._ledger, name, owner))
        if await store.insert_key(w, name, fresh):
            return claimed
        state = await store.lock_key(w, name)
        if state is None:
            raise IdempotencyKeyInUse  # it was abandoned this very moment
        match met(state, fingerprint, now_us):
            case "reused":
                raise IdempotencyKeyReused
            case "in_use":
                raise IdempotencyKeyInUse
            case "held":
                return Begun(prediction_id=state.prediction_id)
            case "answered":
                return Begun(answer=_REPLY.decode(state.answer or b""))
            case "expired" | "taken_over":
                await store.change_key(w, name, fresh | {"state": "running", "prediction_id": None, "answer": None})
                return claimed
