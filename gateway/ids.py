"""Identifiers: UUIDv7, so that they sort roughly by time; no order ever rests on that."""

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def fresh_id() -> uuid_utils.UUID:
    """A fresh UUIDv7 of the library's own type: its text and bytes are ten times as quick to have."""
    return uuid_utils.uuid7()


def standard(identifier: uuid_utils.UUID) -> UUID:
    """The same identifier as everything else has it."""
    return UUID(int=identifier.int)


def id_bytes_time_us(identifier: bytes) -> int:
    """As `id_time_us`, of the bytes of an identifier."""
    return int.from_bytes(identifier[:6]) * 1000


def id_time_us(identifier: UUID) -> int:
    """The moment a UUIDv7 was made, in microseconds UTC, exact to the millisecond."""
    return (identifier.int >> 80) * 1000
