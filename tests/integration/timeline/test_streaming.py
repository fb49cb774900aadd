"""The stream of the timeline: woken by the bell, gone on by position, bounded in number, and ended with the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import pytest

from gateway.errors import BadRequest
from gateway.ids import new_id
from gateway.store.events import position_events
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.timeline import position_of
from review.halting import halt_model
from review.timeline.streaming import STREAMS_MAX_EACH, Streams, TooManyStreams, follow
from review.timeline.told import Entry
from tests.integration.release.scene import operator_of
from tests.worlds import build_world

MODEL = "sentiment"
WAIT_S = 60.0


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with a model, and who operates it."""

    ledger: Ledger
    operator: Actor


@pytest.fixture
async def scene(sqlite_ledger_url: str) -> AsyncIterator[Scene]:
    """A model and nothing that has happened to it."""
    ledger = Ledger.open(sqlite_ledger_url)
    async with ledger.writing() as w:
        world = await build_world(w, model=MODEL)
    yield Scene(ledger=ledger, operator=operator_of(world.tenant_id))
    await ledger.close()


async def halt(scene: Scene, why: str) -> None:
    """Halt the model, and let the event have its position."""
    await halt_model(scene.ledger, scene.operator, MODEL, "review", why)
    async with scene.ledger.writing() as w:
        await position_events(w)


async def next_entry(stream: AsyncIterator[bytes]) -> tuple[int, Entry]:
    """The id and the entry of the next event."""
    async with asyncio.timeout(WAIT_S):
        while not (part := await anext(stream)).startswith(b"id: "):
            pass
    first, second = part.decode().strip().split("\n")
    entry = msgspec.json.decode(second.removeprefix("data: "), type=Entry)
    return int(first.removeprefix("id: ")), entry


async def test_a_stream_tells_what_happens_from_now_on(scene: Scene) -> None:
    """What was before is left out; each entry comes under its position."""
    await halt(scene, "before")
    stream = follow(scene.ledger, Streams(), scene.operator, None, None)
    async with aclosing(stream):
        assert (await anext(stream)).startswith(b"retry: ")
        waiting = asyncio.create_task(next_entry(stream))
        while not waiting.done():
            await halt(scene, "now")
            await asyncio.wait({waiting}, timeout=0.2)
        position, entry = waiting.result()
        assert (entry.why, entry.position) == ("now", position)


async def test_a_stream_goes_on_where_another_broke_off(scene: Scene) -> None:
    """Behind a position nothing is missed and nothing comes twice."""
    for number in range(3):
        await halt(scene, f"{number}")
    first = follow(scene.ledger, Streams(), scene.operator, MODEL, 0)
    async with aclosing(first):
        while (told := await next_entry(first))[1].why != "0":
            pass
    second = follow(scene.ledger, Streams(), scene.operator, MODEL, told[0])
    async with aclosing(second):
        assert [(await next_entry(second))[1].why for _ in range(2)] == ["1", "2"]


async def test_streams_end_with_the_server_and_leave_no_trace(scene: Scene) -> None:
    """Closing ends a stream that waits, at once and not only after its poll, and none can be opened any more."""
    streams = Streams()
    stream = follow(scene.ledger, streams, scene.operator, None, None)
    await anext(stream)
    assert len(streams) == 1
    ended = asyncio.create_task(anext(stream, None))
    await asyncio.wait({ended}, timeout=0.05)
    streams.close()
    async with asyncio.timeout(WAIT_S):
        assert await ended is None
    assert len(streams) == 0
    with pytest.raises(TooManyStreams):
        streams.require_room(scene.operator.id)


async def test_nobody_takes_every_stream(scene: Scene) -> None:
    """One person has as many as a browser opens; another one still gets in, and one that ends makes room."""
    streams = Streams()
    mine = [follow(scene.ledger, streams, scene.operator, None, None) for _ in range(STREAMS_MAX_EACH)]
    for stream in mine:
        await anext(stream)
    with pytest.raises(TooManyStreams):
        streams.require_room(scene.operator.id)
    streams.require_room(new_id())
    await mine[0].aclose()  # type: ignore[attr-defined]
    streams.require_room(scene.operator.id)
    for stream in mine[1:]:
        await stream.aclose()  # type: ignore[attr-defined]
    assert len(streams) == 0


@pytest.mark.parametrize(("header", "after", "begin"), [(None, None, None), (None, 7, 7), ("9", 7, 9), ("", 7, 7)])
def test_a_client_that_was_cut_off_knows_best_where_to_go_on(
    header: str | None, after: int | None, begin: int | None
) -> None:
    """Last-Event-ID outranks the address."""
    assert position_of(header, after) == begin


@pytest.mark.parametrize("header", ["x", "-1", "9" * 30, "²"])
def test_a_position_is_a_number(header: str) -> None:
    """Anything else in Last-Event-ID is refused in a sentence."""
    with pytest.raises(BadRequest):
        position_of(header, None)
