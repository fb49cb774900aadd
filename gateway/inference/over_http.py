"""The way to an upstream over HTTP: pooled connections, and tensors as binary data where the server takes them.

A large tensor is written from where it lies and read to where it stays: the request goes out piece by piece, and the
answer comes into one room as large as it says that it is, which its tensors are views of.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.told_signature import ToldModel, told_model, word_of
from gateway.inference.transport import Answered
from gateway.inference.upstream_errors import UpstreamAnswerWrong, UpstreamTooSlow, UpstreamUnavailable
from gateway.inference.upstreams import Upstream
from gateway.protocol.binary import LENGTH_HEADER, SIZE, Body, RawTensors, from_bytes, json_length, room_for, to_bytes
from gateway.protocol.datatypes import NUMPY, Tensor, datatype_of
from gateway.protocol.elements import to_array
from gateway.protocol.encode import output_message
from gateway.protocol.errors import OutputNotFinite, ProtocolError
from gateway.protocol.messages import InputMessage, OutputMessage

CONNECT_S = 2.0
IDLE_S = 4.0
"""A connection is not used again after this; servers close theirs after five seconds and more."""
CONNECTIONS_MAX = 128
TRIES = 2
"""Only a call whose connection was never made is made again; nothing of it has reached the server."""
BINARY = "binary_tensor_data"
PIECE_BYTES = 256 * 1024
"""What is written at once of a large request; a smaller one is joined, which costs less than a second write."""
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Tensor(msgspec.Struct, frozen=True):
    name: str
    datatype: str
    shape: list[int]


class _Model(msgspec.Struct, frozen=True):
    name: str = ""
    versions: list[Any] | None = None
    inputs: list[_Tensor] = []
    outputs: list[_Tensor] = []
    platform: str = ""


class _Server(msgspec.Struct, frozen=True):
    extensions: list[str] = []


class _Response(msgspec.Struct, frozen=True):
    outputs: list[InputMessage]
    model_version: Any = None


T = TypeVar("T", bound=msgspec.Struct)


class HttpTransport:
    """Connections to one model of a server."""

    def __init__(self, upstream: Upstream, key: str, answer_max_bytes: int) -> None:
        version = f"/versions/{upstream.version}" if upstream.version else ""
        self._model = f"{upstream.origin}/v2/models/{upstream.model}{version}"
        self._server = f"{upstream.origin}/v2"
        self._answer_max_bytes = answer_max_bytes
        self._binary: bool | None = None
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=IDLE_S)
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits, headers=headers, trust_env=False)

    async def metadata(self) -> ToldModel:
        """What the server tells of the model now."""
        _, body = await self._sent(self._client.build_request("GET", self._model))
        told = _read(body, _Model)
        return told_model(told.name, told.versions or [], told.platform, told.inputs, told.outputs)

    async def infer(self, feeds: Mapping[str, Tensor], outputs: Sequence[str], within_s: float) -> Answered:
        """The named outputs."""
        if self._binary is None:
            self._binary = BINARY in await self._extensions()
        body, headers = _written(feeds, outputs, within_s, binary=self._binary)
        request = self._client.build_request("POST", f"{self._model}/infer", content=body, headers=headers)
        lengths, answer = await self._sent(request)
        return _answered(answer, lengths)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _extensions(self) -> list[str]:
        _, body = await self._sent(self._client.build_request("GET", self._server))
        return _read(body, _Server).extensions

    async def _sent(self, request: httpx.Request) -> tuple[list[str], Body]:
        """The length headers and the body of a good answer."""
        for left in reversed(range(TRIES)):
            try:
                response = await self._client.send(request, stream=True)
            except _NEVER_SENT as error:
                if not left:
                    raise _unread() from error
            except httpx.HTTPError as error:
                raise UpstreamUnavailable from error
            else:
                return await self._read_whole(response)
        raise _unread()

    async def _read_whole(self, response: httpx.Response) -> tuple[list[str], Body]:
        lengths = response.headers.get_list(LENGTH_HEADER)
        try:
            body = await _body(response, lengths, self._answer_max_bytes)
        except httpx.HTTPError as error:
            raise UpstreamUnavailable from error
        except ProtocolError as error:
            raise UpstreamAnswerWrong from error
        finally:
            await response.aclose()
        _check_status(response)
        return lengths, body


class _Pieces:
    """A large body, piece by piece from where it lies; it can be sent again."""

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[Any]:
        for part in self._parts:
            view = memoryview(part)
            for at in range(0, len(view), PIECE_BYTES):
                yield view[at : at + PIECE_BYTES]


async def _body(response: httpx.Response, lengths: list[str], limit: int) -> Body:
    """The whole answer. Raises: UpstreamAnswerWrong where it is too large, httpx.HTTPError."""
    declared = response.headers.get("content-length", "")
    if not declared.isdecimal() or "content-encoding" in response.headers:
        return await _grown(response, limit)
    if int(declared) > limit:
        raise UpstreamAnswerWrong
    room, at = room_for(int(declared), json_length(lengths) or 0), 0
    async for part in response.aiter_bytes():
        room[at : at + len(part)] = part
        at += len(part)
    return room[:at]


async def _grown(response: httpx.Response, limit: int) -> Body:
    """An answer of which nobody knows how long it will be."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > limit:
            raise UpstreamAnswerWrong
    return memoryview(body)


def _unread() -> UpstreamUnavailable:
    error = UpstreamUnavailable()
    error.unread = True
    return error


def _check_status(response: httpx.Response) -> None:
    """Return if the answer is one. Raises: ModelRefusedValues, ModelFailed, UpstreamTooSlow, UpstreamUnavailable."""
    match response.status_code:
        case HTTPStatus.OK:
            return
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            raise ModelRefusedValues
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ModelFailed
        case HTTPStatus.GATEWAY_TIMEOUT:
            raise UpstreamTooSlow
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise _unread()
        case HTTPStatus.SERVICE_UNAVAILABLE if "retry-after" in response.headers:
            raise _unread()
        case _:
            raise UpstreamUnavailable


def _written(
    feeds: Mapping[str, Tensor], outputs: Sequence[str], within_s: float, *, binary: bool
) -> tuple[bytes | _Pieces, dict[str, str]]:
    """The body of a request, and its headers. Raises: ModelRefusedValues where JSON cannot carry a number."""
    tensors = [to_bytes(feed) for feed in feeds.values()] if binary else []
    try:
        inputs = (
            [_raw_message(name, feed, raw) for (name, feed), raw in zip(feeds.items(), tensors, strict=True)]
            if binary
            else [output_message(name, feed) for name, feed in feeds.items()]
        )
    except OutputNotFinite as error:
        raise ModelRefusedValues from error
    asked = [{"name": name, "parameters": {"binary_data": True}} if binary else {"name": name} for name in outputs]
    message = {"parameters": {"timeout": int(within_s * 1e6)}, "inputs": inputs, "outputs": asked}
    json = msgspec.json.encode(message)
    size = len(json) + sum(map(len, tensors))
    headers = {"Content-Type": "application/json", "Content-Length": str(size)}
    if binary:
        headers |= {"Content-Type": "application/octet-stream", LENGTH_HEADER: str(len(json))}
    parts: list[bytes | memoryview] = [json, *tensors]
    return (_Pieces(parts) if size > PIECE_BYTES else b"".join(parts)), headers


def _raw_message(name: str, feed: Tensor, raw: memoryview) -> OutputMessage:
    """An input without its data, whose elements nobody looks at here."""
    return OutputMessage(name=name, shape=feed.shape, datatype=datatype_of(feed), parameters={SIZE: len(raw)})


def _answered(body: Body, lengths: list[str]) -> Answered:
    """The tensors of an answer. Raises: UpstreamAnswerWrong."""
    try:
        raw = RawTensors(body, json_length(lengths) or 0) if lengths else None
        response = _read(raw.json if raw else body, _Response)
        found = {each.name: _tensor(each, raw) for each in response.outputs}
        if raw is not None:
            raw.end()
    except (ProtocolError, KeyError, ValueError) as error:
        raise UpstreamAnswerWrong from error
    return Answered(found, word_of(response.model_version))


def _tensor(message: InputMessage, raw: RawTensors | None) -> Tensor:
    """One tensor; KeyError for a datatype that does not exist, ValueError for sizes that no array has."""
    shape = tuple(message.shape)
    NUMPY[message.datatype]
    if any(size < 0 for size in shape):
        raise ValueError
    size = message.parameters.get(SIZE) if message.parameters else None
    if raw is not None and size is not None:
        return from_bytes(message.name, message.datatype, shape, raw.take(message.name, size))
    if isinstance(message.data, msgspec.UnsetType):
        raise ValueError
    return to_array(message.name, message.datatype, shape, message.data)


def _read(body: bytes | memoryview, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UpstreamAnswerWrong from error
