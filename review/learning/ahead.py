"""Reads a model's outcomes and verdicts in a process of its own, so that reading goes on while other work is done.

`python -m review.learning.ahead` is that process. It writes pages as frames on standard output: four bytes of length,
then MessagePack; an empty page ends the outcomes, another one the verdicts. Both are read in one session, so that they
belong together. A thread would not do: the driver takes the interpreter's lock for each row.
"""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO, Protocol
from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from review.learning.child import COLLECT_AFTER, Task
from review.store.material import FoundOutcome, FoundVerdict, outcomes_in_order, verdicts_in_order

HEAD_BYTES = 4
_OUTCOMES = msgspec.msgpack.Decoder(list[FoundOutcome])
_VERDICTS = msgspec.msgpack.Decoder(list[FoundVerdict])
Page = Sequence[FoundOutcome] | Sequence[FoundVerdict]


class Material(Protocol):
    """What a dataset is made from: first every outcome, then every verdict."""

    def outcomes(self) -> AsyncIterator[Sequence[FoundOutcome]]:
        """Every outcome of the model that was not undone, in pages, by prediction, item and revision."""
        ...

    def verdicts(self) -> AsyncIterator[Sequence[FoundVerdict]]:
        """Every verdict on the model's items, in pages, by prediction, item and verdict."""
        ...


class ReadHere(msgspec.Struct, frozen=True):
    """Material that is read by this process, page by page."""

    session: ReadSession
    model_id: UUID

    def outcomes(self) -> AsyncIterator[Sequence[FoundOutcome]]:
        """As `Material` says."""
        return outcomes_in_order(self.session, self.model_id)

    def verdicts(self) -> AsyncIterator[Sequence[FoundVerdict]]:
        """As `Material` says."""
        return verdicts_in_order(self.session, self.model_id)


class ReadAhead(msgspec.Struct, frozen=True):
    """Material that comes from the process that reads ahead."""

    pages: asyncio.StreamReader

    async def outcomes(self) -> AsyncIterator[Sequence[FoundOutcome]]:
        """As `Material` says. Raises: asyncio.IncompleteReadError (the process ended)."""
        while page := _OUTCOMES.decode(await self._frame()):
            yield page

    async def verdicts(self) -> AsyncIterator[Sequence[FoundVerdict]]:
        """As `Material` says. Raises: asyncio.IncompleteReadError (the process ended)."""
        while page := _VERDICTS.decode(await self._frame()):
            yield page

    async def _frame(self) -> bytes:
        length = int.from_bytes(await self.pages.readexactly(HEAD_BYTES), "big")
        return await self.pages.readexactly(length)


class AheadTask(Task, frozen=True, kw_only=True):
    """Whose material shall be read."""

    model_id: UUID


@asynccontextmanager
async def read_ahead(ledger: Ledger, model_id: UUID) -> AsyncIterator[Material]:
    """The model's material, read by a process that ends with the block."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "review.learning.ahead", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        task = AheadTask(ledger_url=ledger.url.render_as_string(hide_password=False), model_id=model_id)
        child.stdin.write(msgspec.json.encode(task))
        child.stdin.write_eof()
        yield ReadAhead(child.stdout)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def write_material(material: Material, out: BinaryIO) -> None:
    """Write every page as a frame; each kind ends with an empty page."""
    for pages in (material.outcomes(), material.verdicts()):
        async for page in pages:
            _write(page, out)
        _write([], out)


def _write(page: Page, out: BinaryIO) -> None:
    body = msgspec.msgpack.encode(page)
    out.write(len(body).to_bytes(HEAD_BYTES, "big") + body)
    out.flush()


async def main() -> None:
    """Write the material that standard input asks for; whoever reads it may leave at any time."""
    gc.set_threshold(COLLECT_AFTER)
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=AheadTask)
    ledger = Ledger.open(task.ledger_url)
    try:
        async with ledger.reading() as r:
            await write_material(ReadHere(r, task.model_id), sys.stdout.buffer)
    finally:
        await ledger.close()


if __name__ == "__main__":
    asyncio.run(main())
