"""The entries of the traffic log, one tagged union; the number in a tag is the version of its fields.

A field may be added with a default under the same tag. A change of meaning takes a new tag, and readers keep the old.
Entries are MessagePack maps with the field names below; the structs marked `array_like` are written without names, so
that a batch of 32 items fits, and only ever grow at their end.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from flags.context import ENVIRONMENT

Path = Literal["automated", "shadow", "review"]
DeliveryKind = Literal["answer", "provisional", "fallback", "refusal", "held"]
ShadowStatus = Literal["answered", "failed", "dropped", "timed_out"]
EntryKind = Literal["decided", "shadowed", "delivered", "refused"]


class Position(Struct, frozen=True, order=True):
    """Where an entry stands: a segment's name and the byte at which its frame begins."""

    segment: str
    offset: int


class Number(Struct, frozen=True, array_like=True):
    """A named figure that a rule looked at, such as `threshold` 0.6."""

    name: str
    value: float


class Inclusion(Struct, frozen=True, array_like=True):
    """The probability with which an item becomes a case of a kind, whether or not it did."""

    kind: str
    probability: float


class ItemFacts(Struct, frozen=True, kw_only=True, array_like=True):
    """What settle found about one item; items stand in batch order, so item n is at index n - 1."""

    score: float | None
    held: bool
    rule: str
    audited: bool = False
    audit_probability: float = 0.0
    audit_draw: float | None = None
    """The random number in [0, 1) that was compared with the probability; None where nothing was drawn."""
    inclusion: tuple[Inclusion, ...] = ()
    evidence: tuple[Number, ...] = ()
    answer: str | float | None = None
    """What answered: the model, or people's correction of an identical input."""
    unfit: str | None = None
    """The rule that holds it whatever its score; empty for none, None where nobody looked."""


class FlagFact(Struct, frozen=True, kw_only=True, array_like=True):
    """What one flag said and why."""

    name: str
    enabled: bool
    reason: str
    variant: str | None = None


class ContextField(Struct, frozen=True, array_like=True):
    """A field of the request's context that a strategy read."""

    name: str
    value: str


class FlagFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is needed to evaluate the flags of a request again."""

    state: str | None = None
    """The SHA-256 of the feature state; None while no state was loaded."""
    evaluated_us: int = 0
    stickiness: str = ""
    """What a rollout sticks to by default; empty where the caller named nobody: then it is the input digest."""
    context: tuple[ContextField, ...] = ()
    """What the caller told and the definitions read. Model, tenant and caller are the entry's own."""
    answers: tuple[FlagFact, ...] = ()
    sticky_field: str = ""
    """Whether `stickiness` is `userId` or `sessionId`; empty in older entries, where it is the session that counted."""
    environment: str = ENVIRONMENT
    """The environment that the flags were asked in; every embedded flag's is the same."""
    revision: int = 0
    """What the source of the flags called the state when it was asked; 0 in older entries, and before the first."""
    unread: tuple[str, ...] = ()
    """What else the caller told, by name alone: no definition reads it, so its values are not kept."""


class InlineTensor(Struct, frozen=True, kw_only=True, array_like=True):
    """A small tensor kept in the entry itself: little-endian, row-major bytes as in the binary tensor extension."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes


class ObjectRef(Struct, frozen=True, kw_only=True, array_like=True):
    """A payload object that belongs to an entry."""

    role: Literal["input", "output"]
    sha256: str
    bytes: int
    media_type: str = "application/octet-stream"


class StageTimes(Struct, frozen=True, kw_only=True, array_like=True):
    """Microseconds spent in each stage before the entry was written."""

    decode_us: int = 0
    flags_us: int = 0
    decide_us: int = 0
    queue_us: int = 0
    run_us: int = 0
    settle_us: int = 0


class Folded(Struct, frozen=True, kw_only=True, array_like=True):
    """The mark of an entry that was too large: the whole entry is the object `sha256`, this one keeps the head."""

    sha256: str
    bytes: int
    items: int
    held: int
    audited: int
    differing: int = 0
    drawn: int = 0


class Decided(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="decided/1"):
    """A prediction as it was decided, run and settled, written before its answer left."""

    at_us: int
    process: str
    prediction: UUID
    tenant: UUID
    model: str
    release: str
    """Written `sentiment@7`."""
    path: Path
    decided_path: Path
    rule: str
    """The rule that made `path`, by its internal name."""
    decided_rule: str
    """The rule that made `decided_path`; settle may have turned the path into review afterwards."""
    public_rule: str
    api_key: UUID
    input_digest: str
    output_digest: str
    shadow_release: str | None = None
    request_id: str | None = None
    asked: bool | None = None
    """Whether the caller asked for a person; None in entries that do not tell."""
    flags: FlagFacts = FlagFacts()
    items: tuple[ItemFacts, ...] = ()
    inputs: tuple[InlineTensor, ...] = ()
    outputs: tuple[InlineTensor, ...] = ()
    objects: tuple[ObjectRef, ...] = ()
    stages: StageTimes = StageTimes()
    folded: Folded | None = None
    plain: bool = False
    """Whether it was written as an entry of which nothing is held or drawn; readers may pass it by for that."""

    @property
    def item_count(self) -> int:
        """The number of items of the prediction, also when they were folded away."""
        return self.folded.items if self.folded else len(self.items)

    @property
    def held_count(self) -> int:
        """How many items were held for a person."""
        return self.folded.held if self.folded else sum(item.held for item in self.items)

    @property
    def audited_count(self) -> int:
        """How many items were drawn for audit."""
        return self.folded.audited if self.folded else sum(item.audited for item in self.items)


class Shadowed(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="shadowed/1"):
    """What became of the candidate's run beside an answer."""

    at_us: int
    process: str
    prediction: UUID
    tenant: UUID
    model: str
    release: str
    shadow_release: str
    status: ShadowStatus
    reason: str = ""
    differing: tuple[int, ...] = ()
    """The items (1…n) in which the two releases differ, as the card says what differing means."""
    item_count: int = 0
    inclusion_probability: float = 1.0
    """With which each differing item becomes a case: constant within a trial."""
    output_digest: str | None = None
    outputs: tuple[InlineTensor, ...] = ()
    objects: tuple[ObjectRef, ...] = ()
    run_us: int = 0
    folded: Folded | None = None
    trial: UUID | None = None
    draws: tuple[float, ...] = ()
    """For each differing item the random number in [0, 1) that was compared with the probability."""
    answers: tuple[str | float | None, ...] = ()
    """For each differing item what the release in the shadow says; None where it is no answer of the label schema."""
    decided: Decided | None = None
    """The entry of the prediction, with its payload objects, once some item was drawn: a case needs nothing else."""

    @property
    def differing_count(self) -> int:
        """In how many items the two releases differ, also when they were folded away."""
        return self.folded.differing if self.folded else len(self.differing)

    @property
    def drawn_count(self) -> int:
        """How many differing items were drawn to become cases."""
        return self.folded.drawn if self.folded else sum(draw < self.inclusion_probability for draw in self.draws)


class Delivered(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="delivered/1"):
    """What a caller was told; for a held prediction the ledger's `delivery` is the truth and this its trace."""

    at_us: int
    process: str
    prediction: UUID
    tenant: UUID
    model: str
    release: str
    delivery: DeliveryKind
    status: int
    """The HTTP status."""
    response_digest: str
    n: int = 1
    outcome_revision: int | None = None
    waited_us: int = 0
    review_status: str = "automated"
    folded: Folded | None = None


class Refused(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="refused/1"):
    """A request that came to no prediction because the run of its release failed; its caller was told the error."""

    at_us: int
    process: str
    prediction: UUID
    """An id of its own: there is no prediction, but everything in the log is found by one."""
    tenant: UUID
    model: str
    release: str
    api_key: UUID
    code: str
    status: int
    """The HTTP status."""
    folded: Folded | None = None


Entry = Decided | Shadowed | Delivered | Refused


def kind_of(entry: Entry) -> EntryKind:
    """The kind of an entry without its version."""
    if isinstance(entry, Decided):
        return "decided"
    if isinstance(entry, Shadowed):
        return "shadowed"
    return "delivered" if isinstance(entry, Delivered) else "refused"
