"""What operators declared for a model: who did that, why and when. Pure."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Declared(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What was declared for a model, who did that and why."""

    revision: int
    declaration: T | None
    """None where it was cleared."""
    by: str
    why: str
    declared_us: int
