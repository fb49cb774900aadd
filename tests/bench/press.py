"""Sends one request again and again over many connections, as fast as the server answers, from a process of its own.

`python -m tests.bench.press` takes a Load as JSON on standard input and prints what it Pressed as JSON. Each connection
sends its next request when the answer to the last has come; the first seconds do not count.
"""

import asyncio
import os
import sys
from base64 import b64decode
from time import perf_counter

import msgspec
import numpy as np
import uvloop


class Load(msgspec.Struct, kw_only=True):
    """What to send, where and for how long."""

    port: int
    request: str
    """The bytes of a whole HTTP request, in Base64."""
    connections: int
    seconds: float
    warm_s: float = 1.0
    processor: int | None = None
    """Which processor to keep to."""


class Pressed(msgspec.Struct, kw_only=True):
    """What came of it."""

    rate: float
    """Good answers a second."""
    p50_us: float
    p99_us: float
    refused: int
    """Answers other than 200."""


class Connection(asyncio.Protocol):
    """One connection, with at most one request on its way."""

    def __init__(self, press: "Press") -> None:
        self._press = press
        self._transport: asyncio.Transport | None = None
        self._began = 0.0
        self._got = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole, and send the next request."""
        if self._missing:
            self._missing -= len(data)
        else:
            self._got += data
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._got[:end].lower()
            at = head.find(b"content-length:") + 15
            until = head.find(b"\r", at)
            self._missing = int(head[at : until if until > 0 else end]) - (len(self._got) - end - 4)
        if self._missing == 0:
            self._press.note(self._began, ok=self._got.startswith(b"HTTP/1.1 200"))
            self._got = b""
            self._send()

    def _send(self) -> None:
        if not self._press.over and self._transport is not None:
            self._began = perf_counter()
            self._transport.write(self._press.request)


class Press:
    """The load, and what has been measured."""

    def __init__(self, load: Load) -> None:
        self.request = b64decode(load.request)
        self.over = False
        self.counts_from = 0.0
        self._load = load
        self._seconds: list[float] = []
        self._refused = 0

    def note(self, began: float, *, ok: bool) -> None:
        """Take note of an answer."""
        now = perf_counter()
        if began >= self.counts_from > 0:
            self._seconds.append(now - began)
            self._refused += not ok

    async def run(self) -> Pressed:
        """Press for as long as the load says."""
        loop, load = asyncio.get_running_loop(), self._load
        for _ in range(load.connections):
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", load.port)
        await asyncio.sleep(load.warm_s)
        self.counts_from = perf_counter()
        await asyncio.sleep(load.seconds)
        self.over, lasted = True, perf_counter() - self.counts_from
        micros = np.array(self._seconds or [0.0]) * 1e6
        return Pressed(
            rate=(len(self._seconds) - self._refused) / lasted,
            p50_us=float(np.percentile(micros, 50)),
            p99_us=float(np.percentile(micros, 99)),
            refused=self._refused,
        )


def main() -> None:
    """Read the load, press, print."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    if load.processor is not None:
        os.sched_setaffinity(0, {load.processor})
    pressed = uvloop.run(Press(load).run())
    sys.stdout.buffer.write(msgspec.json.encode(pressed))


if __name__ == "__main__":
    main()
