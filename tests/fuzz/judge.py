"""Whether an answer is one that a hostile request may get. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from gateway.errors import GatewayError
from gateway.grpc.status import BY_CODE, BY_STATUS
from gateway.protocol.bulk import parse_bulk
from gateway.protocol.decode import InferenceRequest, RequestDecoder
from gateway.protocol.messages import parse_request
from tests.fuzz.target import Answer

DECODED = frozenset({"queue-full", "output-not-finite"})
"""Refusals of requests that were understood: what would be held is not, and JSON cannot carry NaN."""
NOT_SERVED = frozenset({"parameter-not-served"})
SPOKEN = frozenset(status.name for number, status in BY_STATUS.items() if number < 500) | {"OK"} | {
    status.name for status in BY_CODE.values()
}  # fmt: skip


def fault(answer: Answer) -> str:
    """What is wrong with an answer; nothing where it is a prediction or a refusal of the catalogue."""
    return _spoken_fault(answer) if isinstance(answer.status, str) else _http_fault(answer)


def outcome(answer: Answer) -> str:
    """The answer in a word, to be counted: `200`, or status and error code."""
    return f"{answer.status} {answer.kind or ''}".strip() if isinstance(answer.status, str) else _http_outcome(answer)


def _http_outcome(answer: Answer) -> str:
    return "200" if answer.status == 200 else f"{answer.status} {_code(answer)}"


def _code(answer: Answer) -> str:
    try:
        return str(msgspec.json.decode(answer.body)["type"]).rpartition("#")[2]
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""


def _http_fault(answer: Answer) -> str:
    assert isinstance(answer.status, int)
    if answer.status == 200:
        return ""
    code = _code(answer)
    if not code or answer.kind != "application/json":
        return "a refusal that is none of the catalogue"
    allowed = 400 <= answer.status < 500 or code in DECODED or (answer.status == 501 and code in NOT_SERVED)
    return "" if allowed else f"status {answer.status}"


def _spoken_fault(answer: Answer) -> str:
    if answer.kind in DECODED | NOT_SERVED:
        return ""
    return "" if answer.status in SPOKEN else f"status {answer.status}"


def disagreement(decoder: RequestDecoder, body: bytes) -> str:
    """How the fast reading of a body differs from the careful one; nothing where it takes no more, and the same."""
    bulk = parse_bulk(body)
    if bulk is None:
        return ""
    try:
        fast = decoder.check(bulk.message, bulk.numbers)
    except GatewayError:
        return ""
    try:
        careful = decoder.check(parse_request(body))
    except GatewayError as error:
        return f"the fast reading takes what the careful one refuses: {error.code}"
    return "" if _told(fast) == _told(careful) else "the two readings are not the same"


def _told(request: InferenceRequest) -> tuple[Any, ...]:
    return request.id, request.parameters, request.outputs, request.items, _bits(request.feeds), _bits(request.display)


def _bits(feeds: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    return {name: (each.dtype.str, each.shape, each.tobytes()) for name, each in feeds.items() if each.dtype != object}
