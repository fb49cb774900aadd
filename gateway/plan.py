"""The immutable per-model snapshot that every request reads; the follower swaps it whole. Pure."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

import msgspec

from gateway.inference.upstreams import Upstream
from gateway.inference.wish import session_key
from gateway.labels import Answer
from gateway.policy import Policy
from gateway.protocol.signature import Signature
from gateway.registry.card import Card


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: the key, its tenant and what it may do."""

    key_id: UUID
    key_name: str
    tenant_id: UUID
    person_id: UUID | None
    scopes: frozenset[str]
    expires_us: int | None = None

    def may(self, verb: str, model: str) -> bool:
        """Whether the key has the scope `verb:model` or `verb:*`."""
        return f"{verb}:{model}" in self.scopes or f"{verb}:*" in self.scopes


class QueuePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The queue that takes a model's cases, at its latest revision."""

    id: UUID
    revision_id: UUID
    deadline_s: float
    blind_share: float
    capacity: int | None


class ReleasePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A release, ready to answer. `card` carries the release's own policy, label schema and guideline."""

    id: UUID
    name: str
    """Such as `sentiment@7`."""
    number: int
    version: int
    artifact: str
    card: Card
    policy: Policy
    """The declared policy with the release's overrides applied."""
    policy_sha256: str
    label_schema_sha256: str
    guideline_sha256: str
    upstream: Upstream | None = None
    """Where it runs, if it does not run here; then there is no artifact."""
    signature: Signature | None = None
    """Inputs and outputs as admission saw them, which counts more than what a file says; None for an upstream."""
    bytes: int = 0
    """The size of its file; what its session takes follows from it."""
    joins: bool = False
    """Whether an item is answered the same alone and together with others, as admission saw; requests may be joined."""

    @property
    def runs(self) -> str:
        """What its session is known by: its file and what its card wants, or its upstream."""
        return self.upstream.key if self.upstream is not None else session_key(self.artifact, self.card.session)

    @property
    def model_file(self) -> str:
        """The digest of its model file, or of the description of its upstream."""
        return self.upstream.digest if self.upstream is not None else self.artifact


class TrialPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An open trial."""

    id: UUID
    candidate: ReleasePlan
    canary_open: bool
    disagreement_probability: float


class HaltPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A halt in force."""

    mode: Literal["review", "fallback", "refuse"]
    by: str
    why: str
    since_us: int


class PrecedentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A settled correction for an identical input."""

    answer: Answer
    prediction_id: UUID
    item: int
    outcome_revision: int
    expires_us: int


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What serves a model, and under which conditions."""

    id: UUID
    tenant_id: UUID
    name: str
    four_eyes: bool
    champion: ReleasePlan
    previous: ReleasePlan | None
    trial: TrialPlan | None
    halt: HaltPlan | None
    queue: QueuePlan
    precedents: Mapping[tuple[str, str], PrecedentPlan]
    """By label schema digest and input digest."""
    open_holds: int
    """How many holds were undecided when the plan was read; the gateway adds its own since then."""

    def release(self, number: int) -> ReleasePlan | None:
        """The release with this number, if the plan has it."""
        candidate = self.trial.candidate if self.trial else None
        releases = (self.champion, self.previous, candidate)
        return next((release for release in releases if release is not None and release.number == number), None)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the automated path needs: no request reads anything else."""

    revision: int
    models: Mapping[tuple[UUID, str], ModelPlan]
    """By tenant and model name."""
    callers: Mapping[bytes, Caller]
    """By the SHA-256 of the key."""

    def model(self, tenant_id: UUID, name: str) -> ModelPlan | None:
        """The model of a tenant, if it is served."""
        return self.models.get((tenant_id, name))
