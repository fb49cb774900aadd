"""Predictions that need people; automated ones live in the traffic log."""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import IMMUTABLE, Id, Json, Micros, Sha256, Table, unique_where

Path = Literal["automated", "shadow", "review"]
DeliveryKind = Literal["answer", "provisional", "fallback", "refusal", "held"]


class PayloadRow(Table):
    """An object with a row of its own, so that erasure deletes it and leaves the digest."""

    __tablename__ = "payload"

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    sha256: Mapped[Sha256] = mapped_column(index=True)
    location: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    expires_us: Mapped[Micros | None]
    legal_hold: Mapped[bool]
    erased_us: Mapped[Micros | None]
    created_us: Mapped[Micros]


class PredictionRow(Table):
    """One request with its answer, kept here because some item of it is or was put before people."""

    __tablename__ = "prediction"
    __table_args__ = (
        unique_where("uq_prediction_join", "open", "tenant_id", "api_key_id", "model_id", "release_id", "input_digest"),
        Index("ix_prediction_created", "tenant_id", "created_us"),
        Index("ix_prediction_equal", "api_key_id", "input_digest", "created_us"),
        Index("ix_prediction_request", "model_id", "request_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    api_key_id: Mapped[Id] = mapped_column(ForeignKey("api_key.id"))
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    flag_state: Mapped[Sha256 | None]
    """The digest of the flag state it was decided under; none when no state was loaded."""
    request_id: Mapped[str | None] = mapped_column(String(255))
    decided_path: Mapped[Path]
    path: Mapped[Path]
    decided_rule: Mapped[str] = mapped_column(String(63))
    rule: Mapped[str] = mapped_column(String(63))
    facts: Mapped[Json]
    items: Mapped[int]
    open: Mapped[bool]
    """True while a retry of equal input joins it: a hold of which some item is undecided."""
    input_digest: Mapped[Sha256]
    input_payload_id: Mapped[Id | None] = mapped_column(ForeignKey("payload.id"))
    output_payload_id: Mapped[Id | None] = mapped_column(ForeignKey("payload.id"))
    wait_until_us: Mapped[Micros | None]
    cancelled_us: Mapped[Micros | None]
    log_segment: Mapped[str | None] = mapped_column(String(100))
    log_offset: Mapped[int | None] = mapped_column(BigInteger)
    created_us: Mapped[Micros]


class IdempotencyRow(Table):
    """A caller's Idempotency-Key with the fingerprint of its body."""

    __tablename__ = "idempotency"

    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    api_key_id: Mapped[Id] = mapped_column(ForeignKey("api_key.id"), primary_key=True)
    route: Mapped[str] = mapped_column(String(200), primary_key=True)
    key_digest: Mapped[Sha256] = mapped_column(primary_key=True)
    fingerprint: Mapped[Sha256]
    prediction_id: Mapped[Id | None]
    state: Mapped[Literal["running", "decided"]]
    owner: Mapped[str] = mapped_column(String(100))
    owner_until_us: Mapped[Micros]
    expires_us: Mapped[Micros] = mapped_column(index=True)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The body that was answered, when nobody holds the prediction."""


class DeliveryRow(Table):
    """What a caller was told, recorded before the bytes leave; inserting n = last + 1 is the compare-and-swap."""

    __tablename__ = "delivery"
    __table_args__ = {"info": IMMUTABLE}

    prediction_id: Mapped[Id] = mapped_column(ForeignKey("prediction.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DeliveryKind]
    outcome_revision: Mapped[int | None]
    """The sum of the outcome revisions of its held items that this delivery told; none when it told no outcome."""
    response_digest: Mapped[Sha256]
    delivered_us: Mapped[Micros]
