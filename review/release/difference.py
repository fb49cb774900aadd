"""What differs between two releases, in plain lines. Pure.

A release is a version with its policy, label schema, guideline and overrides; each of them is compared, and the policy
number by number, with the overrides applied.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from gateway.plan import ReleasePlan

What = Literal["version", "artifact", "card", "policy", "label_schema", "guideline", "overrides"]
DOCUMENTS = frozenset({"policy", "labels", "guideline"})
"""Parts of a card that a release brings itself."""
SHOWN_MAX = 300
"""So many characters of a value are shown."""


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a release consists of."""

    release: ReleasePlan
    overrides: Mapping[str, object] = {}


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs."""

    what: What
    name: str
    """Such as `policy.hold_below`."""
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """The change on one line."""
        return f"{self.name}: {self.before} -> {self.after}"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two releases; the guideline as a unified diff."""

    before: str
    after: str
    changes: tuple[Changed, ...]
    guideline: tuple[str, ...]


def difference(before: Documents, after: Documents) -> Difference:
    """What differs when the one release takes the place of the other."""
    one, other = before.release, after.release
    return Difference(
        before=one.name,
        after=other.name,
        changes=tuple(_changes(before, after)),
        guideline=tuple(
            difflib.unified_diff(
                one.card.guideline.splitlines(),
                other.card.guideline.splitlines(),
                f"guideline of {one.name}",
                f"guideline of {other.name}",
                lineterm="",
            )
        ),
    )


def _address(release: ReleasePlan) -> str:
    """Where a release runs; empty where it runs here."""
    return release.upstream.address if release.upstream is not None else ""


def _changes(before: Documents, after: Documents) -> Iterator[Changed]:
    one, other = before.release, after.release
    if one.version != other.version:
        yield Changed(what="version", name="version", before=str(one.version), after=str(other.version))
    if one.artifact != other.artifact:
        yield Changed(what="artifact", name="model file", before=one.artifact, after=other.artifact)
    if one.upstream != other.upstream:
        yield Changed(what="artifact", name="upstream", before=_address(one), after=_address(other))
    yield from _fields("card", "card", one.card, other.card, without=DOCUMENTS)
    yield from _fields("policy", "policy", one.policy, other.policy)
    yield from _fields("label_schema", "labels", one.card.labels, other.card.labels)
    if one.guideline_sha256 != other.guideline_sha256:
        yield Changed(
            what="guideline", name="guideline", before=one.guideline_sha256[:12], after=other.guideline_sha256[:12]
        )
    for name in sorted(before.overrides.keys() | after.overrides.keys()):
        had, has = before.overrides.get(name), after.overrides.get(name)
        if had != has:
            yield Changed(what="overrides", name=f"overrides.{name}", before=_shown(had), after=_shown(has))


def _fields(
    what: What, place: str, one: msgspec.Struct, other: msgspec.Struct, *, without: frozenset[str] = frozenset()
) -> Iterator[Changed]:
    """Each field whose values differ."""
    for field in msgspec.structs.fields(one):
        had, has = getattr(one, field.name), getattr(other, field.name)
        if field.name not in without and had != has:
            yield Changed(what=what, name=f"{place}.{field.name}", before=_shown(had), after=_shown(has))


def _shown(value: object) -> str:
    """A value as a card would nearly write it; a dash for none."""
    if value is None:
        return "–"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
