"""A prediction that was settled with at least one item held, with all that holding it needs."""

from uuid import UUID

import msgspec

from flags.context import ENVIRONMENT
from gateway.context import NOTHING_TOLD, Told
from gateway.decision import Asked, Decision, Settled
from gateway.plan import Caller, ModelPlan
from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import Signature


class HeldPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """One request with its model's answer, before any of it is recorded in the ledger."""

    id: UUID
    caller: Caller
    model: ModelPlan
    decision: Decision
    settled: Settled
    asked: Asked
    flag_state: str | None
    """The digest of the flag state it was decided under."""
    facts: dict[str, str | float | bool]
    input_digest: str
    inputs: dict[str, Tensor]
    """What the model was fed, by name."""
    beside: dict[str, Tensor]
    """What was sent beside the tensors, for people only."""
    outputs: dict[str, Tensor]
    """What the model said, by name; `items` rows along the batch axis."""
    signature: Signature
    decided_us: int
    requested: tuple[str, ...] = ()
    """The outputs that the caller asked for, in order; empty for all."""
    told: Told = NOTHING_TOLD
    """What the caller told the flags."""
    environment: str = ENVIRONMENT
    """The environment that the flags were asked in."""
    flag_revision: int = 0
    """What the source of the flags called their state when it was asked; 0 before the first."""
    log_position: tuple[str, int] | None = None
    """Segment and offset of its entry in the traffic log."""
