"""Filters of the library as addresses and forms carry them: texts, of which an empty one asks for nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar, get_args
from uuid import UUID

import msgspec

from gateway.access.roles import ROLE_PERMISSIONS, key_may
from gateway.errors import BadRequest
from gateway.store.ledger import ReadSession
from gateway.store.schema.work import CaseKind
from review.actors import Actor
from review.store.corrections import Sight, Wanted
from review.store.queues import queues_of

SOURCES = ("people", "adjudication", "truth")
TEXT_MAX_CHARACTERS = 200
T = TypeVar("T")
KINDS: dict[str, CaseKind] = {kind: kind for kind in get_args(CaseKind)}


class FilterUnknown(BadRequest):
    """'{value}' cannot be looked for as '{name}': use {expected}."""

    code = "filter-unknown"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for."""

    q: str = ""
    """A text in what was shown, in a rationale, or in a prediction's id."""
    model: str = ""
    release: str = ""
    """Such as `sentiment@7`, or the number alone beside a model."""
    kind: str = ""
    source: str = ""
    differs: str = ""
    answer: str = ""
    model_answer: str = ""
    reason: str = ""
    reviewer: str = ""
    since: str = ""
    until: str = ""

    @property
    def given(self) -> Mapping[str, str]:
        """Those that ask for something."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}


def wanted_of(filters: Filters) -> Wanted:
    """The conditions that the filters come to. Raises: FilterUnknown."""
    for name, value in filters.given.items():
        if len(value) > TEXT_MAX_CHARACTERS or "\x00" in value:
            expected = f"a text of at most {TEXT_MAX_CHARACTERS} characters"
            raise FilterUnknown(name=name, value=value[:40].replace("\x00", ""), expected=expected)
    model, release = _release(filters)
    return Wanted(
        model=model,
        release=release,
        kind=_one_of("kind", filters.kind, KINDS),
        source=_source(filters.source),
        differs=_one_of("differs", filters.differs, {"yes": True, "no": False}),
        answer=filters.answer or None,
        model_answer=filters.model_answer or None,
        reason=filters.reason or None,
        reviewer=filters.reviewer or None,
        since_us=_moment_us("since", filters.since),
        until_us=_moment_us("until", filters.until),
        prediction_id=_prediction(filters.q),
    )


def _one_of(name: str, value: str, known: Mapping[str, T]) -> T | None:
    if value and value not in known:
        raise FilterUnknown(name=name, value=value[:40], expected=", ".join(known))
    return known[value] if value else None


def _release(filters: Filters) -> tuple[str | None, int | None]:
    """Model and number; the release may bring its model along."""
    model, _, number = filters.release.rpartition("@")
    if not filters.release:
        return filters.model or None, None
    fits = number.isdecimal() and len(number) < 10 and (not model or filters.model in ("", model))
    if not fits or not (model or filters.model):
        raise FilterUnknown(name="release", value=filters.release[:40], expected="one such as sentiment@7")
    return model or filters.model, int(number)


def _source(value: str) -> str | None:
    if value and value not in SOURCES and not value.startswith("truth:"):
        raise FilterUnknown(name="source", value=value[:40], expected=f"{', '.join(SOURCES)} or truth:NAME")
    return value or None


def _moment_us(name: str, value: str) -> int | None:
    """A day or a moment, in UTC unless it says otherwise, in microseconds."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise FilterUnknown(
            name=name, value=value[:40], expected="a day such as 2026-11-28, or an RFC 3339 time"
        ) from error


def _prediction(text: str) -> UUID | None:
    """The prediction, where the text is the whole of an id."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


async def sight_of(r: ReadSession, actor: Actor, scopes: frozenset[str]) -> Sight:
    """What somebody may see: models that they inspect, and the queues in which they work."""
    if actor.kind != "person":
        return Sight(tenant_id=actor.tenant_id, everything=key_may(scopes, "inspect"))
    inspected = {where for role, where in actor.roles if "inspect" in ROLE_PERMISSIONS[role]}
    return Sight(
        tenant_id=actor.tenant_id,
        everything=None in inspected,
        models=frozenset(where for where in inspected if where is not None),
        queues=frozenset((await queues_of(r, actor.id, actor.tenant_id)).values()),
        person_id=actor.id,
    )
