"""Sends hostile requests to a gateway's own entries: `python -m tests.fuzz [INPUTS] [--seed N] [--processes N]`.

Each must end in a prediction or in a refusal of the catalogue: no status 500, no other exception, no more memory than
the bounds say, no hang. What does not is kept in tests/fuzz/corpus and told with the command that sends it again; the
exit status is then 1.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from tests.fuzz import corpus, inputs
from tests.fuzz.judge import fault, outcome
from tests.fuzz.target import open_target
from tests.fuzz.work import BATCH, At, Done, Found, Told

MILLION = 1_000_000
HANG_S = 60.0
"""A few requests that take longer than this, on however busy a machine, hang."""
START_S = 300.0
"""The same of a process that has sent nothing yet."""
CHUNK = 50_000
"""After so many a process makes room for a fresh one, so that its traffic log does not fill the disk."""
MIB = 1 << 20
ROOT = Path(__file__).parents[2]
_TOLD: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)


class Run:
    """A run over all processes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.outcomes: Counter[str] = Counter()
        self.faults = 0
        self.grown_bytes = 0
        self.began = time.monotonic()

    async def between(self, begin: int, end: int, *, kept: bool) -> None:
        """Send the requests of these numbers, in a fresh process behind each one that does not come to its end."""
        while begin < end or kept:
            words = [str(self.seed), str(begin), str(end), *(["kept"] if kept else [])]
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.fuzz.work", *words),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=64 * MIB,
                cwd=ROOT,
            )
            reading = asyncio.create_task(child.stderr.read())  # type: ignore[union-attr]
            at, done = await self._listen(child)
            await child.wait()
            if done:
                return
            self._broken(at, (await reading).decode("utf-8", "replace")[-4000:])
            begin, kept = max(begin, at + BATCH), False

    async def _listen(self, child: asyncio.subprocess.Process) -> tuple[int, bool]:
        """How far the process came, and whether to its end; it is ended when it says nothing for too long."""
        at, patience_s = -1, START_S
        assert child.stdout is not None
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    line = await child.stdout.readline()
            except TimeoutError:
                child.send_signal(signal.SIGABRT)
                return at, False
            if not line:
                return at, False
            match _TOLD.decode(line):
                case At(number=number):
                    at, patience_s = number, HANG_S
                case Found() as found:
                    self._found(found)
                case Done(outcomes=outcomes, grown_bytes=grown):
                    self.outcomes.update(outcomes)
                    self.grown_bytes = max(self.grown_bytes, grown)
                    return at, True

    def _found(self, found: Found) -> None:
        self.faults += 1
        if found.number < 0:
            print(f"{found.fault}: tests/fuzz/corpus/{found.name}.json", flush=True)
            return
        file = corpus.keep(found.sent, found.fault)
        print(f"{found.fault}: {file.name}; again: {self._again(found.number)}", flush=True)

    def _broken(self, at: int, last_words: str) -> None:
        """The process hung or crashed on one of a few requests."""
        self.faults += 1
        print(f"hung or crashed between {at} and {at + BATCH}; again: {self._again(at)}\n{last_words}", flush=True)

    def _again(self, number: int) -> str:
        return f"python -m tests.fuzz --seed {self.seed} --only {number}"

    def report(self, sent: int) -> None:
        """How everything ended."""
        for name, count in self.outcomes.most_common():
            print(f"{count:>9}  {name}")
        seconds = time.monotonic() - self.began
        print(
            f"{sent} requests of seed {self.seed} in {seconds:.0f} s: {self.faults} faults,"
            f" memory grown by {self.grown_bytes / MIB:.0f} MiB at most"
        )


async def run(count: int, seed: int, processes: int) -> int:
    """Send so many requests; how many faults there were."""
    everything, chunk = Run(seed), max(1, min(CHUNK, -(-count // processes)))
    waiting = list(range(0, count, chunk))[::-1]

    async def one() -> None:
        while waiting:
            begin = waiting.pop()
            await everything.between(begin, min(count, begin + chunk), kept=begin == 0)

    await asyncio.gather(*(one() for _ in range(processes)))
    everything.report(count)
    return everything.faults


async def again(seed: int, number: int, name: str) -> int:
    """Send one request, and show it, what was answered, and what the log says of it."""
    kept = dict(corpus.kept())
    sent = kept[name] if name else inputs.make(seed, number)
    with tempfile.TemporaryDirectory() as folder:
        async with open_target(Path(folder)) as target:
            answer = await target.answer(sent)
    print(sent, answer, outcome(answer), fault(answer) or "no fault", sep="\n")
    return int(bool(fault(answer)))


def main() -> int:
    """The exit status."""
    words = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    words.add_argument("inputs", nargs="?", type=int, default=MILLION, help="how many requests to send")
    words.add_argument("--seed", type=int, default=1, help="the seed that they are made from")
    words.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many processes send them")
    words.add_argument("--only", type=int, help="send the request of this number alone, and show what happens")
    words.add_argument("--kept", default="", help="the same with the kept request of this name")
    given = words.parse_args()
    if given.only is not None or given.kept:
        return asyncio.run(again(given.seed, given.only or 0, given.kept))
    return int(asyncio.run(run(given.inputs, given.seed, given.processes)) > 0)


if __name__ == "__main__":
    sys.exit(main())
