"""The messages of the Open Inference Protocol as values, and the first reading of a request's JSON."""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gateway.protocol.errors import (
    FieldMissing,
    FieldMistyped,
    FieldOutOfRange,
    MalformedJson,
    NotANumberInJson,
    ProtocolError,
    TooDeep,
)

ParameterValue = str | int | float | bool
Parameters = dict[str, ParameterValue]


class InputMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a request; `data` is JSON still, and unset where the tensor comes as binary data behind it."""

    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters | None = None
    data: msgspec.Raw | UnsetType = UNSET


class RequestedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output that the caller asks for."""

    name: str
    parameters: Parameters | None = None


class RequestMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An inference request as it stands in JSON, not yet checked against a model."""

    inputs: list[InputMessage]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[RequestedOutput] | None = None


class OutputMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One output of a response."""

    name: str
    shape: tuple[int, ...]
    datatype: str
    parameters: Parameters | UnsetType = UNSET
    data: list[Any] | msgspec.Raw | UnsetType = UNSET
    """JSON already where there is much of it; unset where the tensor goes as binary data behind the JSON."""


class ResponseMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An inference response; `error` stands only in the body of a hold, which stock clients then show."""

    model_name: str
    model_version: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET
    outputs: tuple[OutputMessage, ...] = ()
    error: str | UnsetType = UNSET


_REQUEST = msgspec.json.Decoder(RequestMessage)
_MISSING = re.compile(r"Object missing required field `(.+)`")
_MISTYPED = re.compile(r"Expected `(.+)`, got `(.+)`")
_BYTE = re.compile(r"\(byte (\d+)\)")
_NOT_A_NUMBER = re.compile(rb"-?(NaN|Infinity)")
JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
"""The names that JSON has for Python's types."""


def parse_request(body: bytes | memoryview) -> RequestMessage:
    """The message in a request body. A ProtocolError says which field is wrong; the parser's text is its cause."""
    try:
        return _REQUEST.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong_field(str(error)) from error
    except RecursionError as error:
        raise TooDeep from error
    except ValueError as error:
        raise _malformed(body, str(error)) from error


def _wrong_field(text: str) -> ProtocolError:
    """The parser's complaint in our words."""
    complaint, _, path = text.partition(" - at `$")
    place = f"'{path.rstrip('`').lstrip('.')}'" if path else "the request"
    if missing := _MISSING.fullmatch(complaint):
        return FieldMissing(field=missing[1], place=place)
    if mistyped := _MISTYPED.fullmatch(complaint):
        return FieldMistyped(place=place, expected=_json_type(mistyped[1]), found=_json_type(mistyped[2]))
    return FieldOutOfRange(place=place)


def _json_type(names: str) -> str:
    """Python's names of types as JSON calls them."""
    return " or ".join(JSON_TYPES.get(name, name) for name in names.split(" | "))


def _malformed(body: bytes | memoryview, text: str) -> ProtocolError:
    """Names a NaN or Infinity, the mistake that json.dumps makes silently; anything else is malformed JSON."""
    place = _BYTE.search(text)
    if place and _NOT_A_NUMBER.match(body, int(place[1])):
        return NotANumberInJson(byte=int(place[1]))
    return MalformedJson()
