"""The column types of the ledger, and the declarative base of its tables."""

import enum
from typing import Annotated, Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Dialect, Enum, Index, LargeBinary, MetaData, String, Text, TypeDecorator, text
from sqlalchemy.dialects.postgresql import UUID as POSTGRES_UUID
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine


class Uuid(TypeDecorator[UUID]):
    """A UUID in 16 bytes: `uuid` on PostgreSQL, a blob on SQLite."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(POSTGRES_UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: Any, _dialect: Dialect) -> UUID | None:
        if value is None or isinstance(value, UUID):
            return value
        return UUID(bytes=bytes(value))


Id = Annotated[UUID, mapped_column(Uuid)]
Micros = Annotated[int, mapped_column(BigInteger)]
"""A moment in integer microseconds UTC."""
Sha256 = Annotated[str, mapped_column(String(64))]
"""A SHA-256 in lower-case hexadecimal."""
Json = Annotated[str, mapped_column(Text)]
"""A JSON document as exact text; msgspec types it at the edges."""

IMMUTABLE: dict[str, Any] = {"immutable": True}
"""Marks a table whose rows are never updated or deleted; a trigger in the database holds it."""


class Table(DeclarativeBase):
    """A table of the ledger."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        UUID: Uuid,
        Literal: Enum(enum.Enum, native_enum=False, validate_strings=True, length=24),
    }


def unique_where(name: str, condition: str, *columns: str) -> Index:
    """A unique index over the rows that meet `condition`, on both databases."""
    return Index(name, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))
