"""Every error has a gRPC status that says what a caller can do about it."""

import pytest
from grpc import StatusCode

from gateway.errors import GatewayError
from gateway.grpc.status import BY_CODE, BY_STATUS, status_of
from tests.contracts.tables import every_error


def errors_of_the_gateway() -> dict[str, int]:
    """The HTTP status of each code."""
    return {kind.code: kind.status for kind in every_error() if issubclass(kind, GatewayError)}


def test_no_error_is_ours_by_oversight() -> None:
    """Only what is 500 over HTTP is INTERNAL here, and no row of the table is about an error that is not there."""
    found = errors_of_the_gateway()
    internal = {code for code, status in found.items() if status_of(code, status) is StatusCode.INTERNAL}
    assert internal == {code for code, status in found.items() if status == 500}
    assert set(BY_CODE) <= found.keys() | {"held"}


def test_what_people_have_is_never_unavailable() -> None:
    """Stock clients send again what was UNAVAILABLE; that would multiply what people must judge."""
    for code, status in errors_of_the_gateway().items():
        assert status_of(code, status, held=True) is not StatusCode.UNAVAILABLE
    for code in ("held", "held-too-long", "nobody-answers", "queue-full"):
        assert status_of(code, 503) is not StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("held", 202, StatusCode.FAILED_PRECONDITION),
        ("held-too-long", 503, StatusCode.FAILED_PRECONDITION),
        ("unanswerable", 422, StatusCode.FAILED_PRECONDITION),
        ("idempotency-key-reused", 422, StatusCode.INVALID_ARGUMENT),
        ("idempotency-key-in-use", 409, StatusCode.ABORTED),
        ("champion-stays", 409, StatusCode.FAILED_PRECONDITION),
        ("queue-full", 503, StatusCode.RESOURCE_EXHAUSTED),
        ("output-not-finite", 422, StatusCode.OUT_OF_RANGE),
        ("ledger-unavailable", 503, StatusCode.UNAVAILABLE),
        ("model-not-ready", 503, StatusCode.UNAVAILABLE),
        ("unknown-model", 404, StatusCode.NOT_FOUND),
        ("gone", 410, StatusCode.NOT_FOUND),
        ("unauthenticated", 401, StatusCode.UNAUTHENTICATED),
        ("forbidden", 403, StatusCode.PERMISSION_DENIED),
        ("wrong-datatype", 400, StatusCode.INVALID_ARGUMENT),
        ("parameter-not-served", 501, StatusCode.UNIMPLEMENTED),
        ("caller-left", 499, StatusCode.CANCELLED),
        ("internal", 500, StatusCode.INTERNAL),
    ],
)
def test_the_status_of_an_error(code: str, status: int, told: StatusCode) -> None:
    """One row for each kind of trouble."""
    assert status_of(code, status) is told


def test_every_status_is_known() -> None:
    """No HTTP status of ours is left to chance."""
    assert {status for status in errors_of_the_gateway().values() if status != 500} <= BY_STATUS.keys()
