"""Reads the header `Lockgate-Context`: what a caller tells the flags, written as a query string is."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from gateway.errors import BadRequest

HEADER: Final = "Lockgate-Context"
HEADER_MAX_CHARACTERS: Final = 4096
PAIRS_MAX: Final = 64
_NOTHING: Final[Mapping[str, str]] = {}


class ContextHeaderRefused(BadRequest):
    """The header Lockgate-Context {fault}; it is written as in 'user_id=u-17&plan=gold'."""

    code = "context-header-refused"


def context_pairs(values: Sequence[str]) -> Mapping[str, str]:
    """The fields that all headers of this name tell, as text. Raises: ContextHeaderRefused."""
    if not values:
        return _NOTHING
    if len(values) > 1:
        raise ContextHeaderRefused(fault="is given twice")
    [value] = values
    if len(value) > HEADER_MAX_CHARACTERS:
        raise ContextHeaderRefused(fault=f"is longer than {HEADER_MAX_CHARACTERS} characters")
    pairs = _pairs(value)
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ContextHeaderRefused(fault="names a field twice")
    return told


def _pairs(value: str) -> list[tuple[str, str]]:
    if not value.strip():
        return []
    if not value.isascii():
        raise ContextHeaderRefused(fault="has characters that are not percent-encoded")
    try:
        return parse_qsl(value, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=PAIRS_MAX)
    except ValueError as error:
        fault = f"is not made of pairs 'name=value' of UTF-8, joined by '&', {PAIRS_MAX} at most"
        raise ContextHeaderRefused(fault=fault) from error
