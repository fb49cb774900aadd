"""What a flag would surprise with: the rules by name, each a table row with its level and what it means. Pure.

An `error` is something that does not do what it says; a `warning` does it, but most likely was not meant so.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.registry.card import Card

Level = Literal["error", "warning"]
Rule = Literal[
    "unreadable",
    "custom-strategy",
    "misread",
    "field-never-sent",
    "stickiness-without-a-key",
    "drawn-by-chance",
    "payload-ignored",
    "payload-of-another-release",
    "payload-unread",
    "on-for-nobody",
    "stale",
    "missing",
    "no-such-model",
]
LEVELS: Mapping[Rule, Level] = {
    "unreadable": "error",
    "custom-strategy": "error",
    "misread": "error",
    "field-never-sent": "error",
    "stickiness-without-a-key": "error",
    "drawn-by-chance": "warning",
    "payload-ignored": "error",
    "payload-of-another-release": "warning",
    "payload-unread": "warning",
    "on-for-nobody": "warning",
    "stale": "warning",
    "missing": "error",
    "no-such-model": "warning",
}
"""Every rule, the gravest reading first, with its level."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would surprise: whose it is, where, and in a sentence what happens instead."""

    rule: Rule
    flag: str
    """The flag, or the segment that flags refer to."""
    place: str
    """Such as `strategies[0].constraints[1].value`; empty where it is the flag as a whole."""
    said: str

    @property
    def level(self) -> Level:
        """How grave it is."""
        return LEVELS[self.rule]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags of a model are held against."""

    cards: Mapping[str, Card]
    """The cards of the releases that answer or may soon, by name such as `sentiment@7`: champion and candidate."""
    releases: frozenset[str]
    """The names of all releases of the model."""
    fields: frozenset[str]
    """The fields of the context that a request to this model may carry."""
