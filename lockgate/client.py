"""One door: product verbs are HTTP calls to `/api/v1`, so that roles and "who" hold for everybody."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from lockgate.contexts import Context
from lockgate.errors import (
    CommandError,
    NotAllowed,
    NotSignedIn,
    Refused,
    ServerUnavailable,
    StateChanged,
    ThingMissing,
    Unreachable,
    UnwritableFile,
)

CONNECT_S = 5.0
ANSWER_S = 300.0
SILENCE_S = 60.0
"""How long a stream may be silent; a server says every 15 s that it is there."""
KINDS: Mapping[int, type[CommandError]] = {
    403: NotAllowed,
    404: ThingMissing,
    409: StateChanged,
    410: StateChanged,
    412: StateChanged,
    429: ServerUnavailable,
    502: ServerUnavailable,
    503: ServerUnavailable,
    504: ServerUnavailable,
}
T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered."""

    body: bytes

    def read(self, kind: type[T]) -> T:
        """The body as a value; fields that the type does not name are left out."""
        return msgspec.json.decode(self.body, type=kind)


class Server:
    """A Lockgate server with the key to use there."""

    def __init__(self, context: Context, client: httpx.Client) -> None:
        self.context = context
        self._client = client

    def get(self, path: str, **params: object) -> Answer:
        """Read something. Raises: CommandError."""
        return self.send("GET", path, params=params)

    def post(self, path: str, body: object = None, **params: object) -> Answer:
        """Change something. Raises: CommandError."""
        return self.send("POST", path, body=body, params=params)

    def delete(self, path: str, **params: object) -> Answer:
        """Remove something. Raises: CommandError."""
        return self.send("DELETE", path, params=params)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, object] | None = None,
        files: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; an answer that is no success is raised as the error it tells. Raises: CommandError."""
        content = msgspec.json.encode(body) if body is not None else None
        headers = {"content-type": "application/json"} if content is not None else {}
        given = {name: str(value) for name, value in (params or {}).items() if value is not None}
        try:
            answer = self._client.request(
                method, path, content=content, params=given, headers=headers, files=files, data=data
            )
        except httpx.HTTPError as error:
            raise Unreachable(url=self.context.url, why=type(error).__name__) from error
        if not answer.is_success:
            raise self._error(answer)
        return Answer(body=answer.content)

    def download(self, path: str, target: Path, params: Mapping[str, object]) -> int:
        """Write what is answered to a file, in parts; returns its size. A file that is there stays until then.

        Raises: CommandError.
        """
        given = {name: str(value) for name, value in params.items() if value is not None}
        part = target.with_name(f"{target.name}.part")
        try:
            with self._client.stream("GET", path, params=given) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._error(answer)
                with part.open("wb") as file:
                    for data in answer.iter_bytes():
                        file.write(data)
            part.replace(target)
            return target.stat().st_size
        except httpx.HTTPError as error:
            raise Unreachable(url=self.context.url, why=type(error).__name__) from error
        except OSError as error:
            raise UnwritableFile(path=target, why=error.strerror or "it cannot be written") from error
        finally:
            part.unlink(missing_ok=True)

    def events(self, path: str, params: Mapping[str, object], last_event_id: str = "") -> Iterator[tuple[str, bytes]]:
        """Id and data of each event of a stream, as it comes, until the stream ends. Raises: CommandError."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        headers = {"last-event-id": last_event_id} if last_event_id else {}
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
        try:
            with self._client.stream("GET", path, params=given, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._error(answer)
                yield from _events(answer.iter_lines())
        except httpx.HTTPError as error:
            raise Unreachable(url=self.context.url, why=type(error).__name__) from error

    def _error(self, answer: httpx.Response) -> CommandError:
        if answer.status_code == 401:
            return NotSignedIn(url=self.context.url)
        kind = KINDS.get(answer.status_code, Refused)
        return kind(detail=told(answer))


def _events(lines: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Id and data of each event in the lines of `text/event-stream`; comments are passed over."""
    id_, data = "", ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "id":
            id_ = value
        elif field == "data":
            data = value
        elif not line and data:
            yield id_, data.encode()
            data = ""


def told(answer: httpx.Response) -> str:
    """The sentence in a problem, or what can be said without one."""
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    return str(problem.get("detail") or problem.get("error") or f"The server answered {answer.status_code}.")


@contextmanager
def talking_to(context: Context) -> Iterator[Server]:
    """A server to talk to."""
    headers = {"authorization": f"Bearer {context.token}"} if context.token else {}
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    with httpx.Client(base_url=context.url, headers=headers, timeout=timeout) as client:
        yield Server(context, client)
