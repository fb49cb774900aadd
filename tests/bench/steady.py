"""Sends one request at a steady rate over some connections, from a process of its own, and tells of the answers.

`python -m tests.bench.steady` takes a Steady as JSON on standard input and sends until that is closed. Requests leave
at their times, on whichever connection is free, and one's time counts from when it was due. Whenever a connection is
answered otherwise than before, a line of JSON says so; the last line tells every request's times.
"""

import os
import re
import select
import socket
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import msgspec

from tests.servers.process import until

_RELEASE = re.compile(rb'"release":"([^"]*)"')
_DATA = re.compile(rb'"data":\[([-+.e\d,]*)\]')


class Steady(msgspec.Struct, kw_only=True):
    """What to send, and where."""

    port: int
    request: str
    """The bytes of a whole HTTP request, in Base64."""
    connections: int
    rate: float
    """Requests a second."""
    processor: int | None = None
    """Which processor to keep to."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is answered from now on."""

    connection: int
    status: int
    release: str
    largest: int
    """Where the largest of the first output's numbers is, -1 without numbers."""


class Sent(msgspec.Struct, kw_only=True):
    """Every request: when it was due, by the clock that all processes of a machine share, and how long it took."""

    due_s: list[float]
    took_s: list[float]

    def took_between(self, begins: float, ends: float) -> list[float]:
        """How long the requests took that were due in this time."""
        pairs = zip(self.due_s, self.took_s, strict=True)
        return [took for due, took in pairs if begins <= due < ends]


class _Connection:
    """One connection, with at most one request on its way."""

    def __init__(self, number: int, port: int) -> None:
        self.number = number
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.latest: Answer | None = None
        self._got = b""

    def fileno(self) -> int:
        return self.socket.fileno()

    def receive(self) -> Answer | None:
        """Read what has come: the answer, once it is whole."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return None
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if length is None or len(body) < int(length[1]):
            return None
        status, self._got = int(head[9:12]), b""
        release, data_found = _RELEASE.search(body), _DATA.search(body)
        numbers = [float(each) for each in data_found[1].split(b",")] if data_found and data_found[1] else []
        largest = numbers.index(max(numbers)) if numbers else -1
        said = release[1].decode() if release else ""
        return Answer(connection=self.number, status=status, release=said, largest=largest)


class _Sender:
    """The load, and what has been answered."""

    def __init__(self, steady: Steady) -> None:
        self._request = b64decode(steady.request)
        self._every = 1 / steady.rate
        self._all = [_Connection(number, steady.port) for number in range(steady.connections)]
        self._free = deque(self._all)
        self._sent = Sent(due_s=[], took_s=[])

    def run(self) -> Sent:
        """Send until standard input is closed, and wait for the answers."""
        due, ended = monotonic(), False
        while not ended or len(self._free) < len(self._all):
            while not ended and self._free and due <= monotonic():
                connection = self._free.popleft()
                connection.due, due = due, due + self._every
                connection.socket.sendall(self._request)
            wait = max(0.0, due - monotonic()) if self._free and not ended else None
            ready, _, _ = select.select([*self._all, *([] if ended else [sys.stdin])], [], [], wait)
            ended = ended or sys.stdin in ready
            for each in ready:
                if isinstance(each, _Connection):
                    self._note(each)
        return self._sent

    def _note(self, connection: _Connection) -> None:
        answer = connection.receive()
        if answer is None:
            return
        self._sent.due_s.append(connection.due)
        self._sent.took_s.append(monotonic() - connection.due)
        self._free.append(connection)
        if answer != connection.latest:
            connection.latest = answer
            _say(answer)


class Load:
    """A load that runs, as its starter sees it."""

    def __init__(self, process: subprocess.Popen[bytes], connections: int) -> None:
        self._process = process
        self._lines: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.changes: list[list[Answer]] = [[] for _ in range(connections)]
        """What each connection was answered, one entry for all that is alike in a row."""

    def until_all_by(self, release: str, seconds: float = 60.0) -> None:
        """Return once the latest answer of every connection came from this release."""

        def by_it() -> bool:
            assert self._process.poll() is None, "the load has ended"
            self._take()
            return all(changes and changes[-1].release == release for changes in self.changes)

        until(by_it, f"answers of {release}", seconds)

    def end(self) -> Sent:
        """Send no more; every request that was sent."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reader.join()
        assert self._process.wait() == 0, "the load failed"
        last = self._lines.pop()
        self._take()
        return msgspec.json.decode(last, type=Sent)

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._lines.extend(self._process.stdout)

    def _take(self) -> None:
        while self._lines:
            answer = msgspec.json.decode(self._lines.pop(0), type=Answer)
            self.changes[answer.connection].append(answer)


@contextmanager
def steady(port: int, request: bytes, *, connections: int, rate: float, processor: int | None = None) -> Iterator[Load]:
    """A load that sends this request, and has ended at the end of the block."""
    asked = Steady(
        port=port, request=b64encode(request).decode(), connections=connections, rate=rate, processor=processor
    )
    command = [sys.executable, "-m", "tests.bench.steady"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(asked) + b"\n")
            process.stdin.flush()
            yield Load(process, connections)
        finally:
            process.kill()


def _say(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def main() -> None:
    """Read what to send, send, tell."""
    asked = msgspec.json.decode(sys.stdin.buffer.readline(), type=Steady)
    if asked.processor is not None:
        os.sched_setaffinity(0, {asked.processor})
    _say(_Sender(asked).run())


if __name__ == "__main__":
    main()
