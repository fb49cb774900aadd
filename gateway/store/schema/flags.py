"""Flags: every distinct state, the one in force, and each change with its author and reason."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import IMMUTABLE, Id, Json, Micros, Sha256, Table


class FlagStateRow(Table):
    """A distinct feature state under its digest."""

    __tablename__ = "flag_state"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(63))
    revision: Mapped[str] = mapped_column(String(63))
    body: Mapped[Json]
    first_seen_us: Mapped[Micros]


class FlagCurrentRow(Table):
    """The state in force of a source."""

    __tablename__ = "flag_current"

    source: Mapped[str] = mapped_column(String(63), primary_key=True)
    state: Mapped[Sha256] = mapped_column(ForeignKey("flag_state.sha256"))
    version: Mapped[int]
    known_us: Mapped[Micros | None]
    """When the state was last known to be a server's latest; null for embedded flags, which the ledger itself holds."""
    error: Mapped[str | None] = mapped_column(Text)
    """Why it could not be fetched since."""


class FlagChangeRow(Table):
    """One change of a flag: who, why, before and after."""

    __tablename__ = "flag_change"
    __table_args__ = {"info": IMMUTABLE}

    id: Mapped[Id] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(63))
    version: Mapped[int]
    before: Mapped[Sha256 | None] = mapped_column(ForeignKey("flag_state.sha256"))
    after: Mapped[Sha256] = mapped_column(ForeignKey("flag_state.sha256"))
    flag: Mapped[str] = mapped_column(String(100), index=True)
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    second_person: Mapped[str | None] = mapped_column(String(200))
    simulation: Mapped[str | None] = mapped_column(String(100))
    changed_us: Mapped[Micros]
