"""Sends one request again and again over many connections, as fast as the server answers, from a process of its own.

`python -m tests.bench.press` takes a Load as JSON on standard input and prints what it Pressed as JSON. Each connection
sends its next request when the answer to the last has come (a closed loop), unless the load names a rate: then requests
leave at their times, on whichever connection is free, and one's time counts from when it was due. The first seconds do
not count.
"""

import os
import select
import socket
import sys
from base64 import b64decode
from collections import Counter, deque
from time import perf_counter, process_time

import msgspec
import numpy as np

QUANTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
"""In percent."""


class Load(msgspec.Struct, kw_only=True):
    """What to send, where and for how long."""

    port: int
    request: str
    """The bytes of a whole HTTP request, in Base64."""
    connections: int
    seconds: float
    warm_s: float = 1.0
    rate: float | None = None
    """Requests a second; None: as fast as they are answered."""
    patience_s: float | None = None
    """An answer that takes longer is not a good one."""
    processor: int | None = None
    """Which processor to keep to."""


class Pressed(msgspec.Struct, kw_only=True):
    """What came of it."""

    rate: float
    """Good answers a second."""
    p50_us: float
    p99_us: float
    """Of the good answers."""
    most_us: float
    statuses: dict[int, int]
    """How many answers had which status."""
    late: int
    """Answers of 200 that came after the patience was over."""
    quantiles_us: list[float]
    """Of the good answers, at QUANTILES."""
    processor_s: float
    """How long the load itself had a processor, its warming up included."""


class Connection:
    """One connection, with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.began = 0.0
        self.unsent: memoryview | None = None
        self.answered = True
        self._got = b""
        self._missing = 0
        self._usual = -1
        """How long the latest answer was that came in one piece: if the next one is as long, it is not searched."""

    def send(self, request: bytes, began: float) -> bool:
        """Send a request that was due at a time; whether all of it has left."""
        self.began, self.answered = began, False
        try:
            sent = self.socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent == len(request):
            return True
        self.unsent = memoryview(request)[sent:]
        return self.send_more()

    def send_more(self) -> bool:
        """Send what is left; whether that was all."""
        try:
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return False
        self.unsent = None
        return True

    def receive(self) -> int | None:
        """Read what has come: the status of the answer, once it is whole."""
        data = self.socket.recv(1 << 16)
        if len(data) == self._usual and not self._missing and not self._got and data.startswith(b"HTTP/1.1 "):
            return int(data[9:12])
        if not data:
            raise ConnectionError("the server closed the connection")
        if self._missing:
            self._missing -= len(data)
        else:
            self._got = self._got + data if self._got else data
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = self._got[:end].lower()
            at = head.find(b"content-length:") + 15
            until = head.find(b"\r", at)
            self._missing = int(head[at : until if until > 0 else end]) - (len(self._got) - end - 4)
        if self._missing:
            return None
        status = int(self._got[9:12])
        self._usual, self._got = len(data) if data is self._got else -1, b""
        return status


class Press:
    """The load, and what has been measured."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._request = b64decode(load.request)
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._free: deque[Connection] = deque()
        self._seconds: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._late = 0
        self._counts_from = 0.0
        self._due = 0.0
        self._processor_s = 0.0

    def run(self) -> Pressed:
        """Press for as long as the load says."""
        load = self._load
        for _ in range(load.connections):
            connection = Connection(load.port)
            self._connections[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
            self._free.append(connection)
        self._due, self._processor_s = perf_counter(), process_time()
        self._counts_from = self._due + load.warm_s
        ends = self._counts_from + load.seconds
        while perf_counter() < ends:
            self._send()
            for number, events in self._poll.poll(self._wait(ends)):
                self._serve(self._connections[number], events)
        return self._pressed()

    def _wait(self, ends: float) -> float:
        """Seconds until there is something to do by ourselves, in whole milliseconds: what is due sooner is waited for.

        The system sleeps for whole milliseconds, and rounds up: requests would leave late, and several at once.
        """
        due = self._due if self._load.rate and self._free else ends
        return max(0, int((min(due, ends) - perf_counter()) * 1000)) / 1000

    def _send(self) -> None:
        """Send what is due."""
        rate = self._load.rate
        while self._free and (rate is None or self._due <= perf_counter()):
            began = perf_counter() if rate is None else self._due
            if rate is not None:
                self._due += 1 / rate
            connection = self._free.popleft()
            if not connection.send(self._request, began):
                self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)

    def _serve(self, connection: Connection, events: int) -> None:
        """Go on with a connection; it is free when its answer is here and its request, maybe later, has left."""
        if events & select.EPOLLOUT and connection.send_more():
            self._poll.modify(connection.socket, select.EPOLLIN)
            if connection.answered:
                self._free.append(connection)
        if events & ~select.EPOLLOUT and (status := connection.receive()) is not None:
            self._note(connection.began, status)
            connection.answered = True
            if not connection.unsent:
                self._free.append(connection)

    def _note(self, began: float, status: int) -> None:
        """Take note of an answer, unless the load was still warming up when it came.

        When its request was due does not matter: what waits longest would count as nothing for as long as it waits.
        """
        came = perf_counter()
        if came < self._counts_from:
            return
        took = came - began
        self._statuses[status] += 1
        if status == 200:
            if self._load.patience_s is not None and took > self._load.patience_s:
                self._late += 1
            else:
                self._seconds.append(took)

    def _pressed(self) -> Pressed:
        micros = np.array(self._seconds or [0.0]) * 1e6
        return Pressed(
            rate=len(self._seconds) / self._load.seconds,
            p50_us=float(np.percentile(micros, 50)),
            p99_us=float(np.percentile(micros, 99)),
            most_us=float(micros.max()),
            statuses=dict(self._statuses),
            late=self._late,
            quantiles_us=[float(value) for value in np.percentile(micros, QUANTILES)],
            processor_s=process_time() - self._processor_s,
        )


def main() -> None:
    """Read the load, press, print."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    if load.processor is not None:
        os.sched_setaffinity(0, {load.processor})
    sys.stdout.buffer.write(msgspec.json.encode(Press(load).run()))


if __name__ == "__main__":
    main()
