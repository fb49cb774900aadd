"""The gRPC status of each error, by the code that docs/errors.md lists. Pure.

| what went wrong | status |
|---|---|
| the request itself | INVALID_ARGUMENT |
| no key, or one that may not | UNAUTHENTICATED, PERMISSION_DENIED |
| nothing of that name, or no longer | NOT_FOUND |
| what a second request of the same kind meets | ABORTED |
| the state of what was asked for; a hold above all | FAILED_PRECONDITION |
| too much at once | RESOURCE_EXHAUSTED |
| not served here | UNIMPLEMENTED |
| away for a moment | UNAVAILABLE |
| ours | INTERNAL |

Stock clients send again by themselves what was UNAVAILABLE, so nothing that people have before them is ever that: a
retry would multiply what they must judge.
"""

from collections.abc import Mapping

from grpc import StatusCode

BY_CODE: Mapping[str, StatusCode] = {
    "held": StatusCode.FAILED_PRECONDITION,
    "held-too-long": StatusCode.FAILED_PRECONDITION,
    "nobody-answers": StatusCode.FAILED_PRECONDITION,
    "unanswerable": StatusCode.FAILED_PRECONDITION,
    "champion-stays": StatusCode.FAILED_PRECONDITION,
    "output-not-finite": StatusCode.OUT_OF_RANGE,
    "idempotency-key-reused": StatusCode.INVALID_ARGUMENT,
    "queue-full": StatusCode.RESOURCE_EXHAUSTED,
}
"""The errors whose HTTP status says too little."""

BY_STATUS: Mapping[int, StatusCode] = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.ABORTED,
    410: StatusCode.NOT_FOUND,
    411: StatusCode.INVALID_ARGUMENT,
    413: StatusCode.RESOURCE_EXHAUSTED,
    415: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.FAILED_PRECONDITION,
    429: StatusCode.RESOURCE_EXHAUSTED,
    499: StatusCode.CANCELLED,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


def status_of(code: str, http_status: int, *, held: bool = False) -> StatusCode:
    """The status of an error; `held` says that it is about a prediction that people may have before them."""
    status = BY_CODE.get(code) or BY_STATUS.get(http_status, StatusCode.INTERNAL)
    return StatusCode.FAILED_PRECONDITION if held and status is StatusCode.UNAVAILABLE else status
