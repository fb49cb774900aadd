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


class _Line(msgspec.Struct, kw_only=True, gc=False):
    model: str
    status: int | str
    error: str
    ms: float
    event: str = "request"
    process: str
    level: str = "info"
    at: str


class RequestLines:
    """Writes the events of requests to a stream."""

    def __init__(self, stream: TextIO, process: str) -> None:
        self._stream = stream
        self._process = process
        self._lines: list[bytes] = []

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        """Log the event of one request, at the end of this turn."""
        model = masked(model)
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._lines.append(
            _ENCODER.encode(_Line(model=model, status=status, error=error, ms=ms, process=self._process, at=at))
        )

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        self._stream.write((b"\n".join(lines) + b"\n").decode())


class NoLines:
    """Where nobody wants to know."""

    def put(self, model: str, status: int | str, error: str, ms: float) -> None:
        """Nothing."""


def masked(text: str) -> str:
    """The text with every key of ours cut short; a last line of defence, since nothing should log one."""
    return KEY.sub("lg_••••", text) if "lg_" in text else text
