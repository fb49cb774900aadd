"""`lockgate serve` as the demo starts it: its data in the demo's folder, its ports free, its log in a file."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec

from demo.errors import ServerDied
from demo.play.product import clean_environment

TIED = Path(__file__).with_name("tied.py")
RECIPES = Path(__file__).parents[1] / "models"
LOOK_AGAIN_S = 0.05
END_S = 30.0
TAIL_LINES, TAIL_WIDTH = 6, 200


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server keeps its data and listens."""

    folder: Path
    port: int
    monitor_port: int

    @property
    def url(self) -> str:
        """Where callers, people and commands go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def settings(self) -> Mapping[str, str]:
        """The server's settings as variables."""
        return {
            "LOCKGATE_DATA_DIRECTORY": str(self.folder / "data"),
            "LOCKGATE_HTTP_ADDRESS": f"127.0.0.1:{self.port}",
            "LOCKGATE_GRPC_ADDRESS": "",
            "LOCKGATE_METRICS_ADDRESS": f"127.0.0.1:{self.monitor_port}",
            "LOCKGATE_LOG_FORMAT": "json",
            "LOCKGATE_TRAINING_RECIPES": str(RECIPES),
        }

    def tail(self) -> str:
        """The end of the log, for somebody who wants to know why."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            return "\n".join(line[:TAIL_WIDTH] for line in lines)
        return "(nothing was written)"


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[None]:
    """A server that takes requests; afterwards it has ended in order.

    Raises (in a group): ServerDied, as soon as it has ended by itself.
    """
    process = await _start(place)
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(place, process))
            await _until_ready(place)
            yield
            watch.cancel()
    finally:
        await _end(process)


async def _watch(place: Place, process: asyncio.subprocess.Process) -> None:
    await process.wait()
    raise ServerDied(log=place.log, tail=place.tail())


async def _start(place: Place) -> asyncio.subprocess.Process:
    place.folder.mkdir(parents=True, exist_ok=True)
    with place.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(TIED), str(os.getpid())),
            *(sys.executable, "-m", "lockgate", "serve"),
            env=clean_environment(place.settings),
            cwd=place.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the play, which ends the server when nobody needs it any more
        )


async def _until_ready(place: Place) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await http.get(f"http://127.0.0.1:{place.monitor_port}/health/ready")
                if answer.is_success:
                    return
            await asyncio.sleep(LOOK_AGAIN_S)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
