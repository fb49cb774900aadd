"""Who: tenants, people, their roles, keys and sessions."""

from typing import Literal

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import Id, Json, Micros, Sha256, Table, unique_where

Role = Literal["reviewer", "lead", "operator", "auditor", "admin"]


class TenantRow(Table):
    """An organisation that shares nothing with another; there is one by default."""

    __tablename__ = "tenant"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    created_us: Mapped[Micros]


class PersonRow(Table):
    """A person who signs in."""

    __tablename__ = "person"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    preferences: Mapped[Json | None]
    replayed: Mapped[bool] = mapped_column(default=False)
    """True for a stand-in that replays recorded judgements; the console marks their verdicts."""
    disabled_us: Mapped[Micros | None]
    created_us: Mapped[Micros]


class GrantRow(Table):
    """A role of a person in a tenant, for all models or for one."""

    __tablename__ = "grant"
    __table_args__ = (
        unique_where("uq_grant_tenant_wide", "model_id IS NULL", "person_id", "role", "tenant_id"),
        UniqueConstraint("person_id", "role", "tenant_id", "model_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"))
    role: Mapped[Role]
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    model_id: Mapped[Id | None] = mapped_column(ForeignKey("model.id"))
    by: Mapped[str] = mapped_column(String(200))
    created_us: Mapped[Micros]


class ApiKeyRow(Table):
    """A key of a service, of CI or of a person's own command line; only its hash is kept."""

    __tablename__ = "api_key"

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[Sha256] = mapped_column(unique=True)
    hint: Mapped[str] = mapped_column(String(16))
    """The first characters of the key, so that people can tell keys apart."""
    scopes: Mapped[Json]
    """A list of scopes, such as `predict:sentiment`, `read:*`, `pin:sentiment`, `truth:*`."""
    expires_us: Mapped[Micros | None]
    revoked_us: Mapped[Micros | None]
    created_us: Mapped[Micros]


class SessionRow(Table):
    """A signed-in browser; only the hash of its cookie is kept."""

    __tablename__ = "session"

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("person.id"))
    csrf: Mapped[str] = mapped_column(String(64))
    created_us: Mapped[Micros]
    expires_us: Mapped[Micros]


class InvitationRow(Table):
    """A single-use link by which a person joins or signs in for the first time; only its hash is kept."""

    __tablename__ = "invitation"

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    person_id: Mapped[Id | None] = mapped_column(ForeignKey("person.id"))
    """The person it signs in; none while the link makes a new person."""
    roles: Mapped[Json]
    by: Mapped[str] = mapped_column(String(200))
    created_us: Mapped[Micros]
    expires_us: Mapped[Micros]
    used_us: Mapped[Micros | None]
