"""The events of requests as lines of JSON, equal to those of the other events and written a turn of the loop at a time.

A service at full load has thousands a second; made and written one by one they would cost more than the requests.
"""

import asyncio
import re
from datetime import UTC, datetime
from typing import TextIO

import msgspec

KEY = re.compile(r"lg_[A-Za-z0-9_-]{16,}")
_ENCODER = msgspec.json.Encoder()


class RequestLines:
    """Writes the events of requests to a stream."""

    def __init__(self, stream: TextIO, process: str) -> None:
        self._stream = stream
        self._end = f'"event": "request", "process": {_text(process)}, "level": "info"'
        self._lines: list[str] = []

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        """Log the event of one request, at the end of this turn."""
        model = masked(model)
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        told = status if isinstance(status, int) else _text(status)
        self._lines.append(
            f'{{"model": {_text(model)}, "status": {told}, "error": {_text(error)}, "ms": {ms}, '
            f'{self._end}, "at": "{at}"}}\n'
        )

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        self._stream.write("".join(lines))


class NoLines:
    """Where nobody wants to know."""

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        """Nothing."""


def _text(text: str) -> str:
    """The text as JSON."""
    return _ENCODER.encode(text).decode()


def masked(text: str) -> str:
    """The text with every key of ours cut short; a last line of defence, since nothing should log one."""
    return KEY.sub("lg_••••", text) if "lg_" in text else text
