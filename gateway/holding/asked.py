"""Reads what a caller asks for beside the answer itself. Pure.

| where | what | means |
|---|---|---|
| `Prefer: wait=N` | whole seconds | wait at most N seconds |
| `Prefer: respond-async` | – | be told 202 instead of a fallback |
| `parameters.review_wait_ms` | a number, 0 or more | wait at most so many milliseconds |
| `parameters.review_async` | true | as `respond-async` |
| `parameters.timeout` | microseconds, above 0 | shortens the wait; on its own it is the wait, unless async was asked |
| a gRPC deadline | what is left of it, less 100 ms | the same |
| `parameters.review` | "require" | a person shall look |
| `Idempotency-Key` | a text | this request again is the same request |
| `Lockgate-Context` | a query string | what flags may know of the user; read elsewhere (gateway.context_header) |

The least wait counts. An invalid preference or parameter is ignored; an invalid key is refused. The first instance of a
preference counts (RFC 7240 §2).
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.decision import Asked
from gateway.holding.errors import InvalidIdempotencyKey

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as ASGI gives them: names in lower case."""

KEY_MAX_CHARACTERS = 255
DEADLINE_MARGIN_S = 0.1
"""What an answer needs to reach a caller before its deadline."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a grammar, no secret
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PREFERENCE = re.compile(rf"\s*({_TOKEN})(?:\s*=\s*({_TOKEN}|{_QUOTED}))?\s*(?:;|$)")
_SPLIT = re.compile(rf'(?:{_QUOTED}|[^,"])+')
_SECONDS = re.compile(r"[0-9]{1,9}")


class Preferences(NamedTuple):
    """What `Prefer` asks for."""

    wait_s: int | None = None
    respond_async: bool = False


def asked_from(
    headers: RawHeaders,
    parameters: Mapping[str, str | int | float | bool] | None = None,
    *,
    pinned: int | None = None,
    request_id: str | None = None,
    deadline_s: float | None = None,
) -> Asked:
    """What the caller asks for, who gives up after `deadline_s` by itself. Raises: InvalidIdempotencyKey."""
    parameters = parameters or {}
    prefer, keys, context = _relevant(headers)
    preferences = parse_prefer(prefer)
    respond_async = preferences.respond_async or parameters.get("review_async") is True
    within_s = _within_s(parameters, deadline_s)
    return Asked(
        wait_s=_wait_s(preferences, parameters, respond_async, within_s),
        within_s=within_s,
        respond_async=respond_async,
        review=parameters.get("review") == "require",
        pinned=pinned,
        idempotency_key=parse_key(keys),
        request_id=request_id,
        applied=_applied(preferences),
        context=tuple(context),
    )


def parse_prefer(values: Iterable[str]) -> Preferences:
    """What the values of all `Prefer` headers ask for; what is invalid or unknown is ignored."""
    found: dict[str, str | None] = {}
    for value in values:
        for part in _SPLIT.findall(value):
            if preference := _PREFERENCE.match(part):
                found.setdefault(preference[1].lower(), preference[2])
    seconds = _unquoted(found.get("wait") or "")
    wait_s = int(seconds) if _SECONDS.fullmatch(seconds) else None
    return Preferences(wait_s, found.get("respond-async", "no") in (None, '""'))


def parse_key(values: Iterable[str]) -> str | None:
    """The Idempotency-Key, the same whether it came bare or quoted; None without one. Raises: InvalidIdempotencyKey."""
    keys = {_unquoted(value.strip()) for value in values}
    if not keys:
        return None
    key = keys.pop()
    if keys or not 0 < len(key) <= KEY_MAX_CHARACTERS or not key.isprintable():
        raise InvalidIdempotencyKey
    return key


def _relevant(headers: RawHeaders) -> tuple[list[str], list[str], list[str]]:
    prefer: list[str] = []
    keys: list[str] = []
    context: list[str] = []
    for name, value in headers:
        if name == b"prefer":
            prefer.append(value.decode("latin-1"))
        elif name == b"idempotency-key":
            keys.append(value.decode("latin-1"))
        elif name == b"lockgate-context":
            context.append(value.decode("latin-1"))
    return prefer, keys, context


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _wait_s(
    preferences: Preferences, parameters: Mapping[str, object], respond_async: bool, within_s: float | None
) -> float | None:
    waits = [preferences.wait_s, _scaled(parameters.get("review_wait_ms"), 1e3, least=0)]
    asked = [float(wait) for wait in waits if wait is not None]
    if within_s is not None and (asked or not respond_async):
        asked.append(within_s)
    return min(asked, default=None)


def _within_s(parameters: Mapping[str, object], deadline_s: float | None) -> float | None:
    """Until when the caller takes an answer, by Triton's `timeout` and its deadline; None where it said nothing."""
    limits = [_scaled(parameters.get("timeout"), 1e6, least=1)]
    if deadline_s is not None:
        limits.append(max(0.0, deadline_s - DEADLINE_MARGIN_S))
    return min((limit for limit in limits if limit is not None), default=None)


def _scaled(value: object, divisor: float, *, least: int) -> float | None:
    """The parameter in seconds; None where it is no such number (NaN is below everything)."""
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value < 1e18:
        return value / divisor
    return None


def _applied(preferences: Preferences) -> str:
    """What was understood, as `Preference-Applied` prints it."""
    parts = ["respond-async"] if preferences.respond_async else []
    if preferences.wait_s is not None:
        parts.append(f"wait={preferences.wait_s}")
    return ", ".join(parts)
