"""Loads on servers, in turn: ours, theirs, ours …, each from a process of its own on the other processor."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.bench.case import Measured
from tests.bench.press import Load, Pressed
from tests.bench.quiet import undisturbed

SERVER, LOADER = 0, 1
"""The processors of the two sides."""
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
"""For how long a load counts."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
FEW = min(ROUNDS, 3)
"""Rounds for what differs little from round to round."""
WARM_S = min(1.0, SECONDS)


@contextmanager
def kept_to(*processors: int) -> Iterator[None]:
    """Keep what is started meanwhile to these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Endpoint:
    """Where requests for one model go, and what each of them is."""

    port: int
    request: bytes

    def press(self, connections: int, **more: Any) -> Pressed:
        """Send the request over so many connections for a while, undisturbed; `more` is what else a Load has."""
        return undisturbed(lambda: self.press_once(connections, **more))

    def press_once(self, connections: int, *, seconds: float = SECONDS, **more: Any) -> Pressed:
        """The same, whatever the machine does meanwhile."""
        told = {"processor": LOADER, "warm_s": WARM_S} | more
        load = Load(
            port=self.port, request=b64encode(self.request).decode(), connections=connections, seconds=seconds, **told
        )
        command = [sys.executable, "-m", "tests.bench.press"]
        done = subprocess.run(command, input=msgspec.json.encode(load), capture_output=True, check=False)
        assert not done.returncode, done.stderr.decode()
        pressed = msgspec.json.decode(done.stdout, type=Pressed)
        assert pressed.rate or load.rate, f"nothing was answered well: {pressed}"
        return pressed


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a whole request."""
    lines = {"Host": "bench", "Content-Type": "application/json", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass(frozen=True)
class Pair:
    """The same request for Lockgate and for a server beside it; ours rests while theirs is measured."""

    ours: Endpoint
    theirs: Endpoint
    resting: Callable[[], AbstractContextManager[None]] = nullcontext

    def rounds(self, connections: int, times: int = ROUNDS) -> list[tuple[Pressed, Pressed]]:
        """Both under the same load, in turn."""
        return [(self.ours.press(connections), self._theirs(connections)) for _ in range(times)]

    def _theirs(self, connections: int) -> Pressed:
        with self.resting():
            return self.theirs.press(connections)


def ratios(rounds: list[tuple[Pressed, Pressed]], of: Callable[[Pressed], float]) -> Measured:
    """A figure of ours over theirs: the median of the rounds, with what both were in each."""
    both = [(of(ours), of(theirs)) for ours, theirs in rounds]
    more = {"ours": [ours for ours, _ in both], "theirs": [theirs for _, theirs in both]}
    return Measured.middle((ours / theirs for ours, theirs in both), **more)


def times(rounds: list[Pressed]) -> list[float]:
    """The quantiles of the answers' times, in microseconds, each the median of the rounds'."""
    return [sorted(values)[len(values) // 2] for values in zip(*(each.quantiles_us for each in rounds), strict=True)]
