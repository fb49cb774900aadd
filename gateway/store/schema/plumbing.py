"""Plumbing: the outbox of events, cursors, sealed segments, leases, jobs."""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import Id, Json, Micros, Sha256, Table, unique_where


class EventRow(Table):
    """One thing that happened, written in the transaction in which it did; its position is given after the commit."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unpositioned", "id", sqlite_where=text("position IS NULL"),
              postgresql_where=text("position IS NULL")),
        Index("ix_event_subject", "subject", "position"),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    type: Mapped[str] = mapped_column(String(63))
    subject: Mapped[str] = mapped_column(String(120))
    """What it is about, such as `case:0199…`, `prediction:0199…`, `model:sentiment`, `flag:sentiment.automated`."""
    data: Mapped[Json]
    by: Mapped[str] = mapped_column(String(200))
    occurred_us: Mapped[Micros]
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)


class CursorRow(Table):
    """How far a consumer has read."""

    __tablename__ = "cursor"

    consumer: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    changed_us: Mapped[Micros]


class SegmentRow(Table):
    """A sealed segment of the traffic log."""

    __tablename__ = "segment"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    process: Mapped[str] = mapped_column(String(100))
    entries: Mapped[int] = mapped_column(BigInteger)
    first_us: Mapped[Micros | None]
    last_us: Mapped[Micros | None]
    torn_bytes: Mapped[int] = mapped_column(BigInteger)
    sealed_us: Mapped[Micros]
    removed_us: Mapped[Micros | None]
    """When retention removed its parts."""


class SegmentPartRow(Table):
    """A Parquet file of a sealed segment."""

    __tablename__ = "segment_part"

    segment: Mapped[str] = mapped_column(ForeignKey("segment.name"), primary_key=True)
    kind: Mapped[Literal["decided", "shadowed", "delivered", "refused"]] = mapped_column(primary_key=True)
    location: Mapped[str] = mapped_column(Text)
    sha256: Mapped[Sha256]
    bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)


class LeaseRow(Table):
    """A named right that one owner holds until a moment."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100))
    token: Mapped[int] = mapped_column(BigInteger)
    until_us: Mapped[Micros]


class JobRow(Table):
    """A piece of work that takes longer than a request."""

    __tablename__ = "job"
    __table_args__ = (
        unique_where("uq_job_dedupe", "state IN ('waiting', 'running')", "tenant_id", "kind", "dedupe"),
        Index("ix_job_state", "state", "created_us"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    kind: Mapped[str] = mapped_column(String(63))
    args: Mapped[Json]
    state: Mapped[Literal["waiting", "running", "done", "failed", "cancelled"]]
    progress: Mapped[float]
    result: Mapped[Json | None]
    error: Mapped[str | None] = mapped_column(Text)
    dedupe: Mapped[str | None] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(200))
    created_us: Mapped[Micros]
    changed_us: Mapped[Micros]


class PlanRevisionRow(Table):
    """A number that grows with every change a gateway's plan must follow, so that following costs one small read."""

    __tablename__ = "plan_revision"

    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
