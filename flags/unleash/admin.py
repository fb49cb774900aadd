"""A small client of Unleash's Admin API: make and switch flags, and read its event log.

Every call ends within a bounded time and says in its own words what went wrong. What Unleash says about a request that
it refuses (4xx) is carried; of anything else only the status is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from flags.unleash.admin_errors import (
    AdminTokenRefused,
    UnleashAway,
    UnleashRefused,
    UnleashSilent,
    UnleashUnexpected,
)
from flags.unleash.place import Place

CONNECT_S: Final = 2.0
CALL_S: Final = 5.0
"""How long one call may take as a whole, however slowly the answer trickles in."""
SAID_MAX: Final = 300
_T = TypeVar("_T")


class ShownStrategy(Struct, frozen=True, kw_only=True):
    """A strategy of a flag in an environment."""

    name: str
    parameters: Mapping[str, str] = {}


class ShownEnvironment(Struct, frozen=True, kw_only=True):
    """A flag in an environment."""

    name: str
    enabled: bool
    strategies: tuple[ShownStrategy, ...] = ()


class ShownFeature(Struct, frozen=True, kw_only=True):
    """A flag as Unleash shows it to administrators."""

    name: str
    environments: tuple[ShownEnvironment, ...] = ()
    archived: bool = False


class Tag(Struct, frozen=True, kw_only=True):
    """A tag of a flag."""

    type: str
    value: str


class LoggedEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """An entry of Unleash's event log, as 6.10 and 8.2 write it."""

    id: int
    type: str
    created_at: str
    created_by: str = ""
    feature_name: str | None = None
    project: str | None = None
    environment: str | None = None
    data: Any = None
    pre_data: Any = None


class _Tags(Struct, frozen=True, kw_only=True):
    tags: tuple[Tag, ...] = ()


class _Events(Struct, frozen=True, kw_only=True):
    events: tuple[LoggedEvent, ...] = ()


class _Detail(Struct, frozen=True, kw_only=True):
    message: str = ""


class _Refusal(Struct, frozen=True, kw_only=True):
    message: str = ""
    details: tuple[_Detail, ...] = ()


class UnleashAdmin:
    """The Admin API of one server, for the project and environment of a place."""

    def __init__(self, place: Place, client: httpx.AsyncClient, call_s: float = CALL_S) -> None:
        self.place = place
        self._client = client
        self._call_s = call_s

    async def feature(self, flag: str) -> ShownFeature | None:
        """The flag; None where the project has none of this name, or an archived one. Raises: FlagsError."""
        answer = await self._send("GET", self._of(flag), f"show '{flag}'", missing=True)
        return _read(self.place, answer, ShownFeature) if answer is not None else None

    async def tags(self, flag: str) -> tuple[Tag, ...]:
        """The tags of a flag. Raises: FlagsError."""
        answer = await self._call("GET", f"/features/{_quoted(flag)}/tags", f"show the tags of '{flag}'")
        return _read(self.place, answer, _Tags).tags

    async def create(self, flag: str, *, kind: str, description: str) -> None:
        """Create a flag, off everywhere and without a strategy. Raises: FlagsError."""
        body = {"name": flag, "type": kind, "description": description}
        await self._call("POST", f"/projects/{_quoted(self.place.project)}/features", f"create '{flag}'", body)

    async def add_tag(self, flag: str, tag: Tag) -> None:
        """Tag a flag. Raises: FlagsError."""
        await self._call("POST", f"/features/{_quoted(flag)}/tags", f"tag '{flag}'", tag)

    async def add_strategy(self, flag: str, strategy: object) -> None:
        """Add a strategy to a flag in the environment. Raises: FlagsError."""
        await self._call("POST", f"{self._in_environment(flag)}/strategies", f"add a strategy to '{flag}'", strategy)

    async def switch(self, flag: str, *, on: bool) -> None:
        """Switch a flag in the environment. Raises: FlagsError."""
        word = "on" if on else "off"
        await self._call("POST", f"{self._in_environment(flag)}/{word}", f"switch '{flag}' {word}")

    async def events(self, *, limit: int, offset: int = 0) -> tuple[LoggedEvent, ...]:
        """Entries of the event log, the latest first, behind the first `offset`. Raises: FlagsError."""
        path = f"/search/events?limit={limit}&offset={offset}"
        return _read(self.place, await self._call("GET", path, "show its event log"), _Events).events

    def _of(self, flag: str) -> str:
        return f"/projects/{_quoted(self.place.project)}/features/{_quoted(flag)}"

    def _in_environment(self, flag: str) -> str:
        return f"{self._of(flag)}/environments/{_quoted(self.place.environment)}"

    async def _call(self, method: str, path: str, what: str, body: object = None) -> httpx.Response:
        answer = await self._send(method, path, what, body)
        assert answer is not None
        return answer

    async def _send(
        self, method: str, path: str, what: str, body: object = None, *, missing: bool = False
    ) -> httpx.Response | None:
        """The answer of a call that succeeded; None for one that is `missing` and may be."""
        content = msgspec.json.encode(body) if body is not None else None
        headers = {"authorization": self.place.admin_token, "content-type": "application/json"}
        url = f"{self.place.admin_url}{path}"
        try:
            async with asyncio.timeout(self._call_s):
                answer = await self._client.request(method, url, content=content, headers=headers)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise UnleashSilent(url=self.place.url, seconds=self._call_s) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnleashAway(url=self.place.url, why=type(error).__name__) from error
        if answer.status_code == httpx.codes.NOT_FOUND and missing and _refusal(answer) is not None:
            return None
        return _good(self.place, answer, what)


@asynccontextmanager
async def opened_admin(place: Place, call_s: float = CALL_S) -> AsyncIterator[UnleashAdmin]:
    """The Admin API of a place, with a connection that is closed at the end."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(call_s, connect=min(call_s, CONNECT_S))) as client:
        yield UnleashAdmin(place, client, call_s)


def _good(place: Place, answer: httpx.Response, what: str) -> httpx.Response:
    """The answer, if it is a success. Raises: AdminTokenRefused, UnleashRefused, UnleashUnexpected."""
    if answer.is_success:
        return answer
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise AdminTokenRefused(url=place.url, status=answer.status_code)
    said = _refusal(answer) if answer.is_client_error else None
    if said is None:
        raise UnleashUnexpected(url=place.url, why=f"status {answer.status_code}")
    raise UnleashRefused(what=what, said=said)


def _refusal(answer: httpx.Response) -> str | None:
    """What Unleash says of a request that it refuses; None where it is not Unleash that speaks."""
    try:
        refusal = msgspec.json.decode(answer.content, type=_Refusal)
    except (msgspec.DecodeError, RecursionError):
        return None
    said = " ".join(detail.message for detail in refusal.details if detail.message) or refusal.message
    return f"{said.rstrip('.')[:SAID_MAX]}." if said else None


def _read(place: Place, answer: httpx.Response, kind: type[_T]) -> _T:
    """The answer as a value. Raises: UnleashUnexpected."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnleashUnexpected(url=place.url, why="no such answer was foreseen") from error


def _quoted(name: str) -> str:
    return quote(name, safe="")
