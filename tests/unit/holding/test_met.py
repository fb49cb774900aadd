"""What a request meets under a key that was sent before."""

from uuid import UUID

import pytest

from gateway.holding.idempotency import met
from gateway.store.idempotency import KeyState


def state(**fields: object) -> KeyState:
    known = {
        "fingerprint": "same", "state": "decided", "prediction_id": None, "owner": "a", "owner_until_us": 50,
        "expires_us": 1000, "answer": b"", "prediction_open": False,
    }  # fmt: skip
    return KeyState(**known | fields)  # type: ignore[arg-type]


HELD = {"prediction_id": UUID(int=1)}
ROWS = [
    ("decided with an answer", state(), "answered"),
    ("decided with a hold", state(**HELD), "held"),
    ("being decided", state(state="running", owner_until_us=101), "in_use"),
    ("its owner died", state(state="running", owner_until_us=100), "taken_over"),
    ("another body", state(fingerprint="other"), "reused"),
    ("another body while it is decided", state(fingerprint="other", state="running", owner_until_us=101), "reused"),
    ("its time is over", state(expires_us=100), "expired"),
    ("its time is over, for any body", state(expires_us=100, fingerprint="other"), "expired"),
    ("its time is over and its hold is open", state(expires_us=100, prediction_open=True, **HELD), "held"),
]


@pytest.mark.parametrize(("known", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_met(known: KeyState, expected: str) -> None:
    """The table of the module, at moment 100."""
    assert met(known, "same", 100) == expected
