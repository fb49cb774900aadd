"""The whole play, with you or without you: everything opened here is closed in reverse, whatever happens."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path

import httpx
import msgspec

from demo.home import HOME
from demo.models.build import Props, make_props, state_digest
from demo.play import acts, words
from demo.play.better import go_on
from demo.play.callers import Callers
from demo.play.desk import Pace, at_work
from demo.play.door import opened
from demo.play.ending import Played, played
from demo.play.founding import QUEUE, RATERS, YOU, Cast, found_models, found_people, keep_cast, read_cast
from demo.play.notebook import Figures, Notebook, errors, figures
from demo.play.product import Api, connect
from demo.play.proof import count_true, latencies_ms
from demo.play.scene import Scene, take_seats, write_script
from demo.play.screen import Screen
from demo.play.server import Place, running
from demo.ports import free_ports

MONITOR, DOOR = 2, 5
"""How far from the server's port the free ports of metrics and of the door are looked for."""
YOUR_PACE = Pace(least_s=3.0, most_s=8.0)
"""So slow that most is left to you."""
QUICK_PACE = Pace(least_s=0.1, most_s=0.3)
CALLERS_A_SECOND, WAITING_CALLERS = 2.0, 15
"""A modest service: you are not to feel hunted."""
ONCE_A_SECOND, ONCE_WAITING = 12.0, 60
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    once: bool
    requests: int
    port: int
    home: Path = HOME

    @property
    def folder(self) -> Path:
        """Where the server's data are: fresh for a play without you, else those of earlier plays with these models."""
        return self.home / "once" if self.once else self.home / "server" / state_digest()[:16]


async def play(options: Options, screen: Screen, tell_others: Callable[[str], None]) -> Played | None:
    """The figures of a play without you; nothing after one with you, which lasts until somebody ends it."""
    _end_on_signals(screen)
    started = time.monotonic()
    with screen.step("making three models from packaged data", "three models: sentiment, digits, loans"):
        props = await asyncio.to_thread(make_props, HOME)
    place = _place(options)
    async with _staged(options, screen, props, place) as scene:
        tell_others(place.url)
        if options.once:
            return await _without_you(scene, place, options.requests, started)
        words.tell_tunnel(screen, (place.port, scene.door.port))
        await _with_you(scene, place.url, options.home)
    return None


async def _with_you(scene: Scene, url: str, home: Path) -> None:
    await acts.open_with_one_caller(scene, for_you=True)
    words.tell_invitation(scene.screen, scene.door, f"{url}/console/models", words.shown(home / "lockgate"))
    traffic = acts.send(scene, scene.script.traffic(), per_s=CALLERS_A_SECOND, most=WAITING_CALLERS)
    try:
        async with at_work(scene.seats, QUEUE, YOUR_PACE), asyncio.TaskGroup() as group:
            group.create_task(traffic)
            group.create_task(acts.show_status(scene))
    finally:
        words.tell_errors(scene.screen, errors(scene.notebook.told, scene.script.labels))


async def _without_you(scene: Scene, place: Place, requests: int, started: float) -> Played:
    traffic = scene.script.traffic()
    async with at_work(scene.seats, QUEUE, QUICK_PACE):
        await acts.open_with_one_caller(scene, for_you=False)
        await acts.hold_ten(scene)
        status = asyncio.create_task(acts.show_status(scene))
        await acts.send(scene, islice(traffic, requests), per_s=ONCE_A_SECOND, most=ONCE_WAITING)
        status.cancel()
        scene.screen.status("")
        first = await _figures(scene, time.monotonic() - started)
        afresh = msgspec.structs.replace(scene, notebook=Notebook())
        then = await go_on(afresh, place, traffic)
    for half in (scene, afresh):
        words.tell_failed(scene.screen, [one for one in half.notebook.told if one.failed])
    return played(first, then, time.monotonic() - started)


async def _figures(scene: Scene, seconds: float) -> Figures:
    latencies, holds_true = await latencies_ms(scene), await count_true(scene)
    result = figures(scene.notebook, scene.script.labels, latencies, holds_true=holds_true, seconds=seconds)
    words.tell_figures(scene.screen, result)
    return result


@asynccontextmanager
async def _staged(options: Options, screen: Screen, props: Props, place: Place) -> AsyncIterator[Scene]:
    """The server with everybody on it, and a door for you; all of it is closed in order."""
    async with AsyncExitStack() as stack:
        taken = "" if place.port == options.port else f" (port {options.port} is taken)"
        with screen.step("starting lockgate serve", f"lockgate serve at {place.url}{taken}"):
            await stack.enter_async_context(running(place))
        http = await stack.enter_async_context(connect(place.url))
        cast = await _cast(http, screen, props, place)
        (port,) = free_ports((options.port + DOOR,))
        door = await stack.enter_async_context(opened(place.url, cast.members, port))
        _write_command(options.home / "lockgate", place.url, cast.member(YOU).key)
        notebook = Notebook()
        yield Scene(
            screen=screen,
            script=write_script(props, cast.plays),
            models=props.models,
            cast=cast,
            callers=Callers(http, cast.caller_key),
            seats=take_seats(http, cast, props, notebook),
            door=door,
            notebook=notebook,
            you=Api(http, cast.member(YOU).key),
        )


async def _cast(http: httpx.AsyncClient, screen: Screen, props: Props, place: Place) -> Cast:
    """Everybody: those of the plays before, or new people on new data."""
    cast = read_cast(place.folder)
    if cast is None:
        with screen.step("inviting people", f"people: you, one of each role, {RATERS} replayed raters"):
            cast = await found_people(http, place)
        with screen.step("admitting the models", "founding releases sentiment@1, digits@1, loans@1"):
            await found_models(http, cast, props.models)
    keep_cast(place.folder, msgspec.structs.replace(cast, plays=cast.plays + 1))
    return cast


def _place(options: Options) -> Place:
    """A folder and free ports; data without people are of a founding that was broken off, and begin anew."""
    if options.once or read_cast(options.folder) is None:
        shutil.rmtree(options.folder, ignore_errors=True)
    port, monitor = free_ports((options.port, options.port + MONITOR))
    return Place(folder=options.folder, port=port, monitor_port=monitor)


def _write_command(path: Path, url: str, key: str) -> None:
    """A `lockgate` that talks to this server as you; only the owner of the folder can read it."""
    lines = ("#!/bin/sh", f'LOCKGATE_URL={url} LOCKGATE_TOKEN={key} exec {sys.executable} -m lockgate "$@"')
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")


def _end_on_signals(screen: Screen) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the play in order; a second one does not disturb that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    told: list[int] = []

    def end(number: int) -> None:
        if not told:
            task.cancel()
            screen.status("ending: the callers first, then the server …")
        told.append(number)

    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, end, number)
