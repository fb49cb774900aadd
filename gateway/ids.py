"""Identifiers: UUIDv7, so that they sort roughly by time; no order ever rests on that."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def id_time_us(identifier: UUID) -> int:
    """The moment a UUIDv7 was made, in microseconds UTC, exact to the millisecond."""
    return (identifier.int >> 80) * 1000
