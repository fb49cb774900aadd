"""One process of a run: sends the requests from one number to another, and says on standard output how it gets on.

Its memory is bounded by the system to what it has when it is warm, and ROOM_BYTES.
"""

import asyncio
import faulthandler
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.fuzz import corpus, inputs, judge
from tests.fuzz.target import BODY_MAX_BYTES, Sent, Target, open_target, quiet

BATCH = 8
"""Requests that are on their way together, as they would be; joined before a model, too."""
ROOM_BYTES = BATCH * 16 * BODY_MAX_BYTES
WARM = 64


class At(msgspec.Struct, frozen=True, tag="at"):
    """The requests from this number on are sent now."""

    number: int


class Found(msgspec.Struct, frozen=True, tag="found"):
    """A request that was answered as none may be; by its number, or by the name of a kept one."""

    number: int
    name: str
    fault: str
    sent: Sent


class Done(msgspec.Struct, frozen=True, tag="done"):
    """All were sent: how each ended, and by how much the memory of the process had grown at most."""

    outcomes: dict[str, int]
    grown_bytes: int


Told = At | Found | Done


async def work(seed: int, begin: int, end: int, *, kept: bool) -> None:
    """Send the requests from `begin` to before `end`; those that were kept first, if wanted."""
    outcomes: Counter[str] = Counter()
    async with _opened() as target:
        await _send(target, [(-1, "warm", inputs.make(seed, -number)) for number in range(1, WARM)], Counter())
        _bound()
        before = _peak()
        if kept:
            _say(At(-1))
            await _send(target, [(-1, name, sent) for name, sent in corpus.kept()], outcomes)
        for first in range(begin, end, BATCH):
            _say(At(first))
            numbers = range(first, min(end, first + BATCH))
            await _send(target, [(number, "", inputs.make(seed, number)) for number in numbers], outcomes)
    _say(Done(dict(outcomes), _peak() - before))


@asynccontextmanager
async def _opened() -> AsyncIterator[Target]:
    quiet()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    with tempfile.TemporaryDirectory(prefix="lockgate-fuzz-") as folder:
        async with open_target(Path(folder)) as target:
            yield target


async def _send(target: Target, requests: Iterable[tuple[int, str, Sent]], outcomes: Counter[str]) -> None:
    """Send requests together and judge their answers."""
    requests = list(requests)
    answers = await asyncio.gather(*(target.answer(sent) for _, _, sent in requests), return_exceptions=True)
    for (number, name, sent), answer in zip(requests, answers, strict=True):
        if isinstance(answer, BaseException):
            fault = f"an exception that nobody took: {type(answer).__name__}: {answer}"
        else:
            outcomes[judge.outcome(answer)] += 1
            fault = judge.fault(answer)
        if not fault and sent.over == "http":
            fault = judge.disagreement(target.decoders[sent.model], b"".join(sent.parts))
        if fault:
            _say(Found(number, name, fault, sent))


def _bound() -> None:
    """From now on, whoever asks for more than the room gets a MemoryError, which would be a fault of ours."""
    status = Path("/proc/self/status")
    if not status.exists():
        return
    sizes = dict(line.split(":", 1) for line in status.read_text().splitlines())
    data = int(sizes["VmData"].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (data + ROOM_BYTES, data + ROOM_BYTES))


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _say(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    import uvloop

    faulthandler.enable()
    uvloop.run(work(*map(int, sys.argv[1:4]), kept=sys.argv[4:] == ["kept"]))
