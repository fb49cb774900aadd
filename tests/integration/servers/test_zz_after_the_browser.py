"""Asynchronous tests go on working after a browser test of the same process."""

import asyncio


async def test_a_loop_runs_after_a_module_with_a_browser() -> None:
    """The browser's event loop is gone when its module is."""
    assert asyncio.get_running_loop().is_running()
