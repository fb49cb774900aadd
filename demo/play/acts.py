"""The acts, in order: one caller who waits, a flag that makes ten wait, and traffic with people beside you."""

import asyncio
import contextlib
from collections.abc import Iterable
from random import Random

import msgspec

from demo.errors import ServerAway
from demo.items import Item
from demo.play import words
from demo.play.callers import Told
from demo.play.founding import QUEUE, YOU
from demo.play.remote import open_browser
from demo.play.scene import Scene

FLAG = "sentiment.automated"
FOLLOWED_S = 1.0
"""Every gateway follows a flag within a second, even where the bell was lost."""
STATUS_EVERY_S = 0.5
TEN = 10


class _Id(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Cases(msgspec.Struct, frozen=True, kw_only=True):
    cases: list[_Id]


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    answer: str | None
    created_us: int


class _Card(msgspec.Struct, frozen=True, kw_only=True):
    verdicts: tuple[_Verdict, ...]


class _Switch(msgspec.Struct, frozen=True, kw_only=True):
    on: bool


class _Flag(msgspec.Struct, frozen=True, kw_only=True):
    switch: _Switch


async def open_with_one_caller(scene: Scene, *, for_you: bool) -> Told:
    """The first caller's answer, which a person gave: you, or in a play without you a replayed rater."""
    item = scene.script.opening
    words.tell_opening(scene.screen, item, scene.script.alone[item.key])
    caller = asyncio.create_task(scene.ask(item))
    if for_you:
        link = scene.door.link(YOU)
        scene.door.before_you_enter = lambda: _hand_over(scene)
        words.tell_waiting(scene.screen, link, opened=open_browser(link))
    await _count_up(scene, caller)
    told = await caller
    words.tell_answered(scene.screen, told, await latency_ms(scene, told), scene.script.alone[item.key])
    return told


async def latency_ms(scene: Scene, told: Told) -> float | None:
    """Milliseconds from the verdict to the answer's arrival; the commit of the verdict is among them."""
    found = await scene.you.get("/cases", _Cases, prediction=told.prediction_id, limit=1)
    card = await scene.you.get(f"/cases/{found.cases[0].id}", _Card) if found.cases else _Card(verdicts=())
    return (told.arrived_us - card.verdicts[-1].created_us) / 1000 if card.verdicts else None


async def hold_ten(scene: Scene) -> list[Told]:
    """The answers of ten callers who waited for a person only because the flag was off; it is on again afterwards."""
    await switch(scene, on=False, why="The demo shows that off is the safe side.")
    ten = await asyncio.gather(*map(scene.ask, scene.script.next_ten()))
    await switch(scene, on=True, why="The demo goes on.")
    words.tell_ten(scene.screen, ten)
    return list(ten)


async def switch(scene: Scene, *, on: bool, why: str) -> None:
    """Switch the flag as an operator does, and wait until every gateway follows it."""
    await scene.you.put(f"/flags/{FLAG}/switch", {"on": on, "why": why})
    await asyncio.sleep(FOLLOWED_S)


async def send(scene: Scene, items: Iterable[Item], *, per_s: float, most: int) -> None:
    """Callers who arrive at random, so many a second; while `most` of them wait, no more come."""
    seats = asyncio.Semaphore(most)
    random = Random(scene.script.play)  # noqa: S311 - a play must be the same each time

    async def one(item: Item) -> None:
        try:
            await scene.ask(item)
        finally:
            seats.release()

    async with asyncio.TaskGroup() as group:
        for item in items:
            await seats.acquire()
            group.create_task(one(item))
            await asyncio.sleep(random.expovariate(per_s))


class Ten:
    """The next ten callers whom the flag makes wait; told of as soon as they have their answers, ten after ten."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._told = len(self._held())

    def tell_when_answered(self) -> None:
        """Say so once for each ten."""
        held = self._held()
        if len(held) - self._told >= TEN:
            words.tell_ten(self._scene.screen, held[self._told : self._told + TEN])
            self._told += TEN

    def _held(self) -> list[Told]:
        return [one for one in self._scene.notebook.told if one.held_by_flag]


async def show_status(scene: Scene) -> None:
    """Keep the line of status true, and say when somebody turns the flag, until cancelled."""
    was_on, ten = True, Ten(scene)
    while True:
        with contextlib.suppress(ServerAway):
            on = (await scene.you.get(f"/flags/{FLAG}", _Flag)).switch.on
            if was_on and not on:
                words.tell_switched_off(scene.screen, scene.door.link(YOU))
            elif on and not was_on:
                words.tell_switched_on(scene.screen)
            was_on = on
        ten.tell_when_answered()
        scene.screen.news(words.status(scene.notebook, on=was_on))
        await asyncio.sleep(STATUS_EVERY_S)


async def _hand_over(scene: Scene) -> None:
    """Put the waiting caller's case into your hands alone, before older cases of earlier plays; once is enough."""
    scene.door.before_you_enter = None
    for claim in await scene.you.get("/claims", list[_Id]):
        await scene.you.post(f"/claims/{claim.id}/return", {}, msgspec.Raw)
    newest = await scene.you.get("/cases", _Cases, queue=QUEUE, state="open", order="newest", limit=1)
    for case in newest.cases:
        await scene.you.post(f"/cases/{case.id}/claim", {}, msgspec.Raw)


async def _count_up(scene: Scene, caller: asyncio.Task[Told]) -> None:
    seconds = 0
    while not caller.done():
        scene.screen.status(f"the caller has waited for {seconds} s" if seconds else "the caller waits")
        seconds += 1
        await asyncio.wait({caller}, timeout=1)
    scene.screen.status("")
