"""A thread beside the loop in which one run at a time is made, and ended where it takes too long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gateway.inference.priority import go_behind
from gateway.inference.session import Stop

Done = TypeVar("Done")


class TookTooLong(Exception):
    """A run was told to end."""


class Aside:
    """The thread; its runs must not overlap."""

    def __init__(self, name: str, *, steps_behind: int = 0) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=go_behind, initargs=(steps_behind,))
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def stuck(self) -> bool:
        """Whether a run that was told to end has not ended yet."""
        return not self._ended.is_set()

    async def run(self, work: Callable[[Stop], Done], within_s: float) -> Done:
        """What the work comes to in the thread; who is cancelled meanwhile ends it.

        Raises: TookTooLong, when it has been told to end; whatever the work raises.
        """
        stop = Stop()
        running = asyncio.get_running_loop().run_in_executor(self._thread, work, stop)
        try:
            await asyncio.wait({running}, timeout=within_s)
        except asyncio.CancelledError:
            self._end(running, stop)
            raise
        if running.done():
            return running.result()
        self._end(running, stop)
        raise TookTooLong

    async def ended(self) -> None:
        """Return when nothing runs any more that was told to end."""
        await self._ended.wait()

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False)

    def _end(self, running: "asyncio.Future[Any]", stop: Stop) -> None:
        self._ended.clear()
        running.add_done_callback(self._has_ended)
        stop.now()

    def _has_ended(self, running: "asyncio.Future[Any]") -> None:
        self._ended.set()
        if not running.cancelled():
            running.exception()  # nobody else looks
