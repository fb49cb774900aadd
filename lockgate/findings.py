"""A finding of `lockgate doctor` about one part."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """How a part is: `do` says what to do where it is not well."""

    part: str
    level: Literal["ok", "warn", "bad"]
    says: str
    do: str = ""


def ok(part: str, says: str) -> Finding:
    """All is well."""
    return Finding(part=part, level="ok", says=says)


def warn(part: str, says: str, do: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(part=part, level="warn", says=says, do=do)


def bad(part: str, says: str, do: str) -> Finding:
    """It does not work."""
    return Finding(part=part, level="bad", says=says, do=do)
