"""How a prediction request ended, counted and logged: one canonical event for each, whatever listener it came to."""

from time import perf_counter
from typing import Protocol

import structlog

from gateway.metrics import PREDICTION_SECONDS, REFUSALS

_UNNAMED = frozenset({"unknown-model", "unauthenticated", "forbidden", "malformed-message"})
"""What whoever asks for names that do not exist is told; such names become no label."""
_log = structlog.get_logger("gateway.request")


class RequestEvents(Protocol):
    """Where the events of requests are logged."""

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        """Log the event of one request."""


class _Structured:
    """As every other event."""

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        _log.info("request", model=model, status=status, error=error, ms=ms)


_events: RequestEvents = _Structured()


def log_requests(events: RequestEvents) -> None:
    """Log the events of requests there from now on: they are many, and alike."""
    global _events  # noqa: PLW0603 - a process has one log
    _events = events


def note(model: str, status: int | str, code: str, began: float) -> None:
    """A request ended with this status, and this error's code where it was refused; `began` is of `perf_counter`."""
    seconds = perf_counter() - began
    if code:
        REFUSALS.add(code)
    PREDICTION_SECONDS.observe(seconds, model if code not in _UNNAMED else "")
    tell(model, status, code, seconds)


def tell(model: str, status: int | str, code: str, seconds: float) -> None:
    """Log the event of a request, which somebody else counts."""
    _events.put(model[:64], status, code, round(seconds * 1000, 3))


def note_failure(error: Exception) -> None:
    """A fault of ours: the caller gets our words, the log the cause."""
    _log.error("request_failed", error=type(error).__name__, exc_info=error)
