"""How a prediction request ended, counted and logged: one canonical event for each, whatever listener it came to."""

from time import perf_counter

import structlog

from gateway.metrics import PREDICTION_SECONDS, REFUSALS

_UNNAMED = frozenset({"unknown-model", "unauthenticated", "forbidden", "malformed-message"})
"""What whoever asks for names that do not exist is told; such names become no label."""
_log = structlog.get_logger("gateway.request")


def note(model: str, status: int | str, code: str, began: float) -> None:
    """A request ended with this status, and this error's code where it was refused; `began` is of `perf_counter`."""
    seconds = perf_counter() - began
    if code:
        REFUSALS.add(code)
    PREDICTION_SECONDS.observe(seconds, model if code not in _UNNAMED else "")
    _log.info("request", model=model[:64], status=status, error=code, ms=round(seconds * 1000, 3))


def note_failure(error: Exception) -> None:
    """A fault of ours: the caller gets our words, the log the cause."""
    _log.error("request_failed", error=type(error).__name__, exc_info=error)
