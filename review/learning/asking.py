"""Asks the child process that answers single inputs; it is started when it is needed and ended with the block."""

import asyncio
import math
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from review.learning.answering import HEAD_BYTES, Question, Reply, framed

PATIENCE_S = 30.0
"""How long one answer may take, the opening of the release included."""


class Answering:
    """The child process, as far as there is one; one question at a time."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._asked_s = -math.inf

    @property
    def idle_s(self) -> float:
        """How long nothing was asked; infinite before the first question."""
        return asyncio.get_running_loop().time() - self._asked_s

    async def begin(self) -> None:
        """Start the child, so that the first question need not wait for it."""
        self._child = self._child or await _start()
        self._asked_s = asyncio.get_running_loop().time()

    async def ask(self, question: Question) -> Reply:
        """The child's reply; a child that dies over a question, or takes too long, is a fault of the release."""
        await self.begin()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._ask(question)
        except TimeoutError:
            fault = f"it did not answer within {PATIENCE_S:g} s"
        except (asyncio.IncompleteReadError, ConnectionError):
            fault = "the process that ran it ended"
        await self.end()
        return Reply(fault=fault)

    async def _ask(self, question: Question) -> Reply:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(framed(question))
        await child.stdin.drain()
        length = int.from_bytes(await child.stdout.readexactly(HEAD_BYTES), "big")
        return msgspec.msgpack.decode(await child.stdout.readexactly(length), type=Reply)

    async def end(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            if child.returncode is None:
                child.kill()
            await child.communicate()


@asynccontextmanager
async def answering() -> AsyncIterator[Answering]:
    """A child process for as long as the block runs, once something is asked."""
    asked = Answering()
    try:
        yield asked
    finally:
        await asked.end()


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "review.learning.answering", stdin=PIPE, stdout=PIPE
    )
