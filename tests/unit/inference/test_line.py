"""The line before a model: turns, limits and what fits together."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import numpy as np

from gateway.inference.line import Line, Most, Waiting

ADA, BEN, EVE = UUID(int=1), UUID(int=2), UUID(int=3)
MUCH = Most(rows=1000, bytes=1 << 30)


def waiting(caller: UUID, rows: int = 1, width: int = 4, dtype: type = np.float32) -> Waiting:
    """A request of so many items."""
    return Waiting({"x": np.zeros((rows, width), dtype)}, rows, caller, asyncio.Future())


def line_of(*requests: Waiting) -> Line:
    """A line in which these wait."""
    line = Line()
    for each in requests:
        line.put(each)
    return line


def callers_of(taken: Sequence[Waiting]) -> list[UUID]:
    return [each.caller for each in taken]


async def test_callers_take_turns() -> None:
    """Who sends much stands behind who sends little, and their own order holds."""
    sent = [waiting(ADA), waiting(ADA), waiting(ADA), waiting(BEN), waiting(EVE)]
    taken = line_of(*sent).take(MUCH)
    assert callers_of(taken) == [ADA, BEN, EVE, ADA, ADA]
    assert [each for each in taken if each.caller == ADA] == sent[:3]


async def test_turns_go_on_from_one_run_to_the_next() -> None:
    """A caller who was taken first stands last at the next run."""
    line = line_of(*(waiting(ADA) for _ in range(3)), *(waiting(BEN) for _ in range(3)))
    taken = [line.take(Most(alone=True, rows=1, bytes=1 << 30)) for _ in range(6)]
    assert callers_of([each for batch in taken for each in batch]) == [ADA, BEN, ADA, BEN, ADA, BEN]
    assert line.take(MUCH) == []


async def test_no_more_is_taken_than_fits() -> None:
    """Items and bytes have their limits; what is larger than both goes alone, so that it goes at all."""
    line = line_of(waiting(ADA, rows=3), waiting(ADA, rows=2), waiting(ADA, rows=9))
    assert [each.rows for each in line.take(Most(rows=5, bytes=1 << 30))] == [3, 2]
    assert [each.rows for each in line.take(Most(rows=5, bytes=1 << 30))] == [9]
    line = line_of(waiting(ADA), waiting(ADA), waiting(ADA))
    assert len(line.take(Most(rows=5, bytes=2 * 16))) == 2


async def test_only_what_is_alike_is_taken_together() -> None:
    """Another width or datatype waits for a run of its own."""
    wide, other = waiting(BEN, width=5), waiting(EVE, dtype=np.float64)
    line = line_of(waiting(ADA), wide, other, waiting(ADA))
    assert callers_of(line.take(MUCH)) == [ADA, ADA]
    assert line.take(MUCH) == [wide]
    assert line.take(MUCH) == [other]


async def test_who_has_left_is_dropped() -> None:
    """A request that nobody awaits is not run, and no longer counts."""
    gone, kept = waiting(ADA, rows=7), waiting(BEN)
    line = line_of(gone, kept)
    assert (line.requests, line.rows, line.bytes) == (2, 8, 8 * 16)
    gone.answer.cancel()
    assert line.take(MUCH) == [kept]
    assert (line.requests, line.rows, line.bytes) == (0, 0, 0)


async def test_texts_take_what_they_hold() -> None:
    """A few long texts fill a line as the same bytes of numbers do."""
    texts = {"t": np.array(["a" * 1000, "b" * 500], object)}
    assert Waiting(texts, 2, ADA, asyncio.get_running_loop().create_future()).bytes == 1500 + 2 * 8


async def test_a_share_of_the_line_is_for_each_caller() -> None:
    """Alone a caller may fill the line; beside others it has an equal part, and a newcomer always has a place."""
    line = line_of(waiting(ADA), waiting(ADA))
    assert (line.share(ADA, 8), line.share(BEN, 8)) == (8, 4)
    line.put(waiting(BEN))
    assert (line.share(ADA, 8), line.share(EVE, 8), line.share(EVE, 2)) == (4, 2, 1)
    assert (line.waiting_of(ADA), line.waiting_of(EVE)) == (2, 0)
