"""Whether a constraint means to the engine what it says: each row of what it would silently turn off (or on).

| written                                       | the engine would                                 |
|-----------------------------------------------|--------------------------------------------------|
| an unknown operator, a bad number or date     | answer off for the whole flag                    |
| the same, inverted, for dates and regexes     | answer **on** for everybody                      |
| `1.0` as a semantic version, a bad regex      | never match, without a warning                   |
| a quote in a context name                     | read the rest of the name as part of its rule    |
| a trailing backslash in a value               | read past the end of the value                   |

Each check returns what was expected, or None where all is well.
"""

import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from flags.definitions import Constraint
from flags.engine import regex_compiles
from flags.moments import moment_from

Finding = tuple[str, str]
"""A place within a flag, and what was expected there and what was found."""

_NAME: Final = re.compile(r'[^"\\\x00-\x1f]{1,100}')
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NUMERAL: Final = r"(0|[1-9]\d{0,17})"
_LABEL: Final = r"(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER: Final = re.compile(
    rf"{_NUMERAL}\.{_NUMERAL}\.{_NUMERAL}(-{_LABEL}(\.{_LABEL})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?", re.ASCII
)


def constraint_findings(constraint: Constraint, place: str) -> Iterator[Finding]:
    """What is wrong with a constraint, each with its place."""
    if reason := unfit_name(constraint.context_name):
        yield f"{place}.contextName", reason
    if constraint.operator in _ON_ONE_VALUE:
        yield from _one_value_findings(constraint, place)
    elif constraint.operator in _ON_VALUES:
        yield from _values_findings(constraint, place)
    else:
        known = ", ".join(KNOWN_OPERATORS)
        yield f"{place}.operator", f"expected one of {known}; got '{constraint.operator}'"


def unfit_name(name: str) -> str | None:
    """What is wrong with the name of a context field or a group."""
    return (
        None if _NAME.fullmatch(name) else f"expected 1 to 100 characters without quotes and backslashes; got {name!r}"
    )


def unfit_text(text: str) -> str | None:
    """What is wrong with a value that is compared as text."""
    return f"expected text that does not end in a backslash; got {text!r}" if text.endswith("\\") else None


def unfit_network(text: str) -> str | None:
    """What is wrong with an IP address or network."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"expected an IP address or a network such as 10.0.0.0/8; got {text!r}"
    return None


def _one_value_findings(constraint: Constraint, place: str) -> Iterator[Finding]:
    if constraint.values:
        yield f"{place}.values", f"expected none: {constraint.operator} compares with one 'value'"
    if constraint.value is None:
        yield f"{place}.value", f"expected a value: {constraint.operator} compares with one 'value'"
    elif reason := _ON_ONE_VALUE[constraint.operator](constraint.value):
        yield f"{place}.value", reason


def _values_findings(constraint: Constraint, place: str) -> Iterator[Finding]:
    if constraint.value:
        yield f"{place}.value", f"expected none: {constraint.operator} compares with a list of 'values'"
    if not constraint.values:
        yield f"{place}.values", f"expected at least one: {constraint.operator} compares with a list of 'values'"
    for index, value in enumerate(constraint.values):
        if reason := _ON_VALUES[constraint.operator](value):
            yield f"{place}.values[{index}]", reason


def _unfit_number(text: str) -> str | None:
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return None
    return f"expected a number such as 0.75; got {text!r}"


def _unfit_date(text: str) -> str | None:
    if moment_from(text) is not None:
        return None
    return f"expected a moment such as 2026-11-22T14:00:00Z, seconds and zone included; got {text!r}"


def _unfit_version(text: str) -> str | None:
    return None if _SEMVER.fullmatch(text) else f"expected a semantic version such as 1.4.0; got {text!r}"


def _unfit_regex(text: str) -> str | None:
    if text and regex_compiles(text):
        return None
    return f"expected a regular expression without look-around and back-references; got {text!r}"


_ON_VALUES: Final[Mapping[str, Callable[[str], str | None]]] = {
    "IN": unfit_text,
    "NOT_IN": unfit_text,
    "STR_CONTAINS": unfit_text,
    "STR_STARTS_WITH": unfit_text,
    "STR_ENDS_WITH": unfit_text,
    "IN_CIDR": unfit_network,
}
_ON_ONE_VALUE: Final[Mapping[str, Callable[[str], str | None]]] = {
    **dict.fromkeys(("NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT", "NUM_LTE"), _unfit_number),
    **dict.fromkeys(("DATE_AFTER", "DATE_BEFORE"), _unfit_date),
    **dict.fromkeys(("SEMVER_EQ", "SEMVER_GT", "SEMVER_GTE", "SEMVER_LT", "SEMVER_LTE"), _unfit_version),
    "REGEX": _unfit_regex,
}
KNOWN_OPERATORS: Final = (*_ON_VALUES, *_ON_ONE_VALUE)
