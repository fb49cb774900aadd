"""A thread beside the loop makes one run at a time, and ends what takes too long."""

import asyncio
import os
import sys
from threading import Event, get_native_id

import pytest

from gateway.inference.aside import Aside, TookTooLong
from gateway.inference.session import Stop


async def test_a_run_comes_to_what_its_work_does() -> None:
    """A value, or what it raises."""
    aside = Aside("aside")
    assert await aside.run(lambda _stop: 7, 60) == 7
    with pytest.raises(ZeroDivisionError):
        await aside.run(lambda _stop: 1 // 0, 60)
    assert not aside.stuck
    aside.close()


async def test_a_run_that_takes_too_long_is_told_to_end_and_waited_for() -> None:
    """Until it has, the thread is stuck."""
    aside, told, leave = Aside("aside"), Event(), Event()

    def work(stop: Stop) -> None:
        stop.also(told.set)
        leave.wait()

    with pytest.raises(TookTooLong):
        await aside.run(work, 0)
    assert aside.stuck
    leave.set()
    await aside.ended()
    assert not aside.stuck
    assert told.is_set()
    aside.close()


async def test_who_is_cancelled_ends_its_run() -> None:
    """So that the end of a process meets nothing that goes on."""
    aside, began, told = Aside("aside"), asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def work(stop: Stop) -> None:
        stop.also(told.set)
        loop.call_soon_threadsafe(began.set)
        told.wait()

    running = asyncio.create_task(aside.run(work, 60))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await aside.ended()
    aside.close()


async def test_a_thread_goes_as_many_steps_behind_as_it_is_told() -> None:
    """Where threads have a priority of their own."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    aside = Aside("aside", steps_behind=2)
    after = await aside.run(lambda _stop: os.getpriority(os.PRIO_PROCESS, get_native_id()), 60)
    aside.close()
    assert after == (min(19, before + 2) if sys.platform == "linux" else before)
