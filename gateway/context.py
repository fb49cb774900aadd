"""What a caller may tell the flags of itself: what a card allows, and what of a request is taken. PURE.

A card lists the properties of its model with their types; users and sessions are allowed unless it says otherwise. What
the card does not list is not looked at, so that a service, or a proxy before it, may tell every model the same. What
it does list and is not right is refused, because a flag would otherwise silently be off for that request. The key and
the tenant of a request are never among these facts: they come from the key that was sent.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from flags.moments import moment_from
from gateway.errors import BadRequest

PropertyType = Literal["text", "number", "boolean", "date"]

USER_ID, SESSION_ID, REMOTE_ADDRESS = "user_id", "session_id", "remote_address"
ID_MAX_CHARACTERS: Final = 200
PROPERTIES_MAX: Final = 32
_WHOLE_MAX: Final = 10**18
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)
_OURS: Final = frozenset({"model", "tenant", "caller"})
_FIELDS: Final = {"userId": USER_ID, "sessionId": SESSION_ID, "remoteAddress": REMOTE_ADDRESS}
"""What Unleash calls a user, a session and an address, by what a caller calls them."""
_TAKEN: Final = (
    _OURS | set(_FIELDS) | set(_FIELDS.values()) | {"environment", "appName", "currentTime"}
    | {"release", "review", "timeout", "priority", "headers", "binary_data", "binary_data_output", "binary_data_size"}
)  # fmt: skip
_TAKEN_BEGINNINGS: Final = ("review_", "sequence_", "triton_")


class ContextRefused(BadRequest):
    """The context field '{field}' must be {expected}, not {found}."""

    code = "context-refused"


class ContextContradicts(BadRequest):
    """The context field '{field}' is told twice and differently: by Lockgate-Context and by 'parameters'."""

    code = "context-contradicts"


class ContextProperty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A property that callers may send: its type, and for a text which values or how long."""

    type: PropertyType = "text"
    values: tuple[str, ...] = ()
    """The only values of a text; any if there are none."""
    max_length: Annotated[int, Meta(ge=1, le=ID_MAX_CHARACTERS)] = 100


class AllowedContext(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What callers of a model may tell its flags."""

    user: bool = True
    """Whether callers may say which user of theirs asks (`user_id`)."""
    session: bool = True
    """Whether callers may name a session (`session_id`)."""
    address: bool = False
    """Whether callers may say from which address their user asks (`remote_address`)."""
    properties: dict[str, ContextProperty] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller told the flags of one request, as text; only what the card allows."""

    user_id: str | None = None
    session_id: str | None = None
    remote_address: str | None = None
    properties: Mapping[str, str] = {}

    def fields(self) -> dict[str, str]:
        """Everything that was told, by the names that flags have for it."""
        ids = {name: getattr(self, ours) for name, ours in _FIELDS.items()}
        return {name: value for name, value in ids.items() if value is not None} | dict(self.properties)


NOTHING_TOLD: Final = Told()


class ContextReader:
    """Takes from requests what one card allows; made once, when its plan is made."""

    def __init__(self, allowed: AllowedContext) -> None:
        ids = ContextProperty(max_length=ID_MAX_CHARACTERS)
        built_in = ((USER_ID, allowed.user), (SESSION_ID, allowed.session))
        self._takes: dict[str, _Take] = {name: _text_of(ids) for name, allow in built_in if allow}
        if allowed.address:
            self._takes[REMOTE_ADDRESS] = _ADDRESS
        self._takes |= {name: _take(declared) for name, declared in allowed.properties.items()}

    def read(self, header: Mapping[str, str], parameters: Mapping[str, str | float | bool]) -> Told:
        """What the pairs of the header and the parameters tell. Raises: ContextRefused, ContextContradicts."""
        if not header and not parameters:
            return NOTHING_TOLD
        told: dict[str, str] = {}
        for name, take in self._takes.items():
            value = parameters.get(name)
            if value is not None and value != "":
                told[name] = _taken(name, take, value)
            if header and (written := header.get(name)):
                said = _taken(name, take, take.read(written))
                if told.setdefault(name, said) != said:
                    raise ContextContradicts(field=name)
        return _told(told) if told else NOTHING_TOLD


def context_faults(allowed: AllowedContext) -> Iterator[str]:
    """Whatever a card must not allow, as sentences."""
    if len(allowed.properties) > PROPERTIES_MAX:
        yield f"context.properties lists {len(allowed.properties)} properties; at most {PROPERTIES_MAX} are taken."
    for name, declared in allowed.properties.items():
        place = f"context.properties.{name}"
        if not _NAME.fullmatch(name):
            yield f"{place}: a name is a letter, then letters, digits, '_', '.' or '-', 63 at most."
        if name in _TAKEN or name.startswith(_TAKEN_BEGINNINGS):
            yield f"{place}: this name has a meaning of its own; choose another one."
        yield from _value_faults(place, declared)


def kept_fields(told: Told, read: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """The fields that were told and are read by definitions, each with its value; all where nobody knows what is."""
    if told is NOTHING_TOLD:
        return ()
    return tuple((name, value) for name, value in told.fields().items() if read is None or name in read)


def unread_fields(told: Told, read: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the fields that were told and that no definition reads."""
    if told is NOTHING_TOLD or read is None:
        return ()
    return tuple(name for name in told.fields() if name not in read)


def sticky_key(told: Told) -> tuple[str, str]:
    """What a rollout sticks to by default, and the field it is: the user, else the session, else neither is told."""
    if told.user_id:
        return told.user_id, "userId"
    return (told.session_id, "sessionId") if told.session_id else ("", "")


class _Take(msgspec.Struct, frozen=True, kw_only=True):
    """How the values of one field are taken."""

    expected: str
    text: Callable[[object], str | None]
    """The value as flags compare it; None where it is not of the type."""
    read: Callable[[str], object] = str
    """What a text in the header means; the text itself where it means nothing."""


def _take(declared: ContextProperty) -> _Take:
    return _text_of(declared) if declared.type == "text" else _BY_TYPE[declared.type]


def _text_of(declared: ContextProperty) -> _Take:
    longest, values = declared.max_length, frozenset(declared.values)

    def text(value: object) -> str | None:
        if not isinstance(value, str):
            value = _digits(value)
            return value if value is not None and (not values or value in values) else None
        if values:
            return value if value in values else None
        return value if len(value) <= longest and value.isprintable() else None

    listed = ", ".join(f"'{value}'" for value in declared.values)
    return _Take(
        expected=f"one of {listed}" if listed else f"a printable text of at most {declared.max_length} characters",
        text=text,
    )


def _digits(value: object) -> str | None:
    """A whole number as a text of its digits: many services number their users."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _WHOLE_MAX
    return str(value) if whole else None


def _number(value: object) -> str | None:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return _digits(value)


def _boolean(value: object) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else None


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and moment_from(value) is not None else None


def _address(value: object) -> str | None:
    try:
        return str(ip_address(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _read_number(text: str) -> object:
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _read_boolean(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


_ADDRESS: Final = _Take(expected="an IP address", text=_address)
_BY_TYPE: Final = {
    "number": _Take(expected="a number", text=_number, read=_read_number),
    "boolean": _Take(expected="true or false", text=_boolean, read=_read_boolean),
    "date": _Take(expected="a moment such as 2026-11-22T14:00:00Z", text=_date),
}


def _taken(name: str, take: _Take, value: object) -> str:
    """The value as flags compare it. Raises: ContextRefused."""
    if (text := take.text(value)) is None:
        raise ContextRefused(field=name, expected=take.expected, found=_found(value))
    return text


def _found(value: object) -> str:
    """What a value is, without the value: it may be anything, and errors are shown."""
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    return "true or false" if isinstance(value, bool) else "a number"


def _told(told: dict[str, str]) -> Told:
    user, session, address = told.pop(USER_ID, None), told.pop(SESSION_ID, None), told.pop(REMOTE_ADDRESS, None)
    return Told(user_id=user, session_id=session, remote_address=address, properties=told)


def _value_faults(place: str, declared: ContextProperty) -> Iterator[str]:
    if declared.values and declared.type != "text":
        yield f"{place}.values: only a text has a list of values, and this is a {declared.type}."
    for value in declared.values:
        if not value or not value.isprintable() or len(value) > declared.max_length:
            yield f"{place}.values: expected printable texts of 1 to {declared.max_length} characters."
