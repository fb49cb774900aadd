"""What a job of simulating is told, and what comes of it. PURE."""

from hashlib import sha256
from uuid import UUID

import msgspec

from review.release.evidence import Interval
from review.simulation.proposal import Proposal

SIMULATE = "simulate"
DECISIONS_MAX = 1_000_000
"""Where a window has more decisions, each is read with the probability that makes so many of them likely."""
STARTS = 3
"""How often a simulation is begun; one that was interrupted so often is not begun again."""


class SimulateArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be simulated."""

    model_id: UUID
    model: str
    proposal: Proposal
    state_now: str
    """The digest of the flags in force when it was asked for."""
    state_then: str
    body_then: str
    """The canonical body of the proposed flags."""
    since_us: int
    until_us: int
    decisions_max: int = DECISIONS_MAX
    why: str = ""
    starts: int = 0
    """How often it was begun."""

    @property
    def name(self) -> str:
        """The same for two simulations that would do the same."""
        same = msgspec.structs.replace(self, why="", starts=0)
        return f"{self.model}:{sha256(msgspec.json.encode(same, order='deterministic')).hexdigest()}"


class SimulationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a simulation: its report, and the figures by which one finds it in a list."""

    report: str
    """The SHA-256 of the report."""
    changed: Interval | None = None
    """The share of requests whose path changes."""
    unknown: float = 0.0
    """The share that could not be judged."""
    cases_now: float = 0.0
    """An hour."""
    cases_then: float = 0.0
