"""From the facts of a request to the context in which Unleash's engine evaluates its flags.

Three habits of the engine shape this. Stickiness falls to chance when the context has neither a user nor a session, so
a session is always there: equal requests get equal answers. A value that is not a string silently makes a constraint
false, so every value is text. And a property named `userId` stands in for a user that is absent, likewise the clock and
the other fields, so properties of such names are left out: nobody passes for a user by sending a property.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from flags.moments import moment_text

APP_NAME: Final = "lockgate"
ENVIRONMENT: Final = "production"
"""What embedded flags take for their environment; an Unleash server's is that of the token."""


class RequestFacts(Struct, frozen=True, kw_only=True):
    """What is known of a request before its path is decided.

    `caller` is the id of the caller's key. `sticky_key` names the request itself where it has neither user nor
    session: the digest of its input, so that a retry meets the same answer and traffic of one caller still spreads.
    """

    model: str
    tenant: str
    caller: str
    sticky_key: str
    now_us: int
    environment: str = ENVIRONMENT
    app_name: str = APP_NAME
    user_id: str | None = None
    session_id: str | None = None
    remote_address: str | None = None
    properties: Mapping[str, str | bool | int | float | None] = {}


class EvaluationContext(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An Unleash context; `session_id` is never empty."""

    session_id: str
    app_name: str
    environment: str
    current_time: str
    user_id: str | None = None
    remote_address: str | None = None
    properties: dict[str, str]


_ENCODER: Final = msgspec.json.Encoder()


def evaluation_context(facts: RequestFacts) -> EvaluationContext:
    """The context of a request. A caller's properties cannot replace `model`, `tenant`, `caller` and the fields."""
    return EvaluationContext(
        session_id=_session(facts),
        app_name=facts.app_name,
        environment=facts.environment,
        current_time=moment_text(facts.now_us),
        user_id=facts.user_id or None,
        remote_address=facts.remote_address or None,
        properties=_properties(facts),
    )


def field_of(facts: RequestFacts, name: str) -> str | None:
    """The field of this name in the context of a request, the clock excepted; None where it has none."""
    read = _FIELDS.get(name)
    if read is not None:
        return read(facts)
    value = facts.properties.get(name)
    return None if value is None else _text(value)


def encoded_fields(facts: RequestFacts, names: Sequence[str]) -> bytes:
    """A context of these fields alone, for a flag that reads no others; the whole one takes longer than the asking."""
    return encoded_values({name: value for name in names if (value := field_of(facts, name)) is not None})


def encoded_values(found: Mapping[str, str], now_us: int | None = None) -> bytes:
    """A context of these fields alone, by name, and of the clock where it is given."""
    if now_us is not None:
        found = {**found, "currentTime": moment_text(now_us)}
    properties = {name: value for name, value in found.items() if name not in _RESERVED}
    return _ENCODER.encode({**found, "properties": properties} if properties else found)


def encoded(context: EvaluationContext) -> bytes:
    """The context as the engine reads it; made once a request and shared by its flags."""
    return _ENCODER.encode(context)


def _session(facts: RequestFacts) -> str:
    """Never empty, and the same for equal requests."""
    return facts.session_id or facts.user_id or facts.sticky_key or facts.caller or facts.model


_FIELDS: Final[Mapping[str, Callable[[RequestFacts], str | None]]] = {
    "userId": lambda facts: facts.user_id or None,
    "sessionId": _session,
    "remoteAddress": lambda facts: facts.remote_address or None,
    "environment": lambda facts: facts.environment,
    "appName": lambda facts: facts.app_name,
    "model": lambda facts: facts.model,
    "tenant": lambda facts: facts.tenant,
    "caller": lambda facts: facts.caller,
}


_TOP_LEVEL: Final = frozenset({"userId", "sessionId", "remoteAddress", "environment", "appName"})
_RESERVED: Final = _TOP_LEVEL | {"currentTime"}
"""What the engine looks for among the properties where the context lacks it."""


def _properties(facts: RequestFacts) -> dict[str, str]:
    sent = facts.properties.items()
    properties = {name: _text(value) for name, value in sent if value is not None and name not in _RESERVED}
    properties["model"] = facts.model
    properties["tenant"] = facts.tenant
    properties["caller"] = facts.caller
    return properties


def _text(value: str | bool | float) -> str:
    """The value as people write it in a constraint: true and false in lower case, numbers in decimal."""
    return value if isinstance(value, str) else str(value).lower()
