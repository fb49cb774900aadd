"""Fixtures of the browser tests: a console with a world behind it, and a page of somebody who is signed in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.scene import Scene, running_console

SignIn = Callable[[str], Page]


@pytest.fixture
def scene(sqlite_ledger_url: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Scene]:
    """A running console with people, a model and a queue, and nothing held yet."""
    with running_console(sqlite_ledger_url, tmp_path, free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def _profile(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """A profile for the tests of a module: to make one takes a second of the processor, as long as most tests do."""
    with browser.new_context(**browser_context_args) as opened:
        yield opened


@pytest.fixture
def signed_in(scene: Scene, _profile: BrowserContext) -> Iterator[SignIn]:
    """A page of somebody who is signed in: ada, ben, cleo review, lena leads, olga operates, adam administers.

    Nothing is left of the test before: its pages are closed, its cookies gone, and what it stored belongs to an origin
    of its own, the port of its console.
    """

    def open_as(name: str) -> Page:
        _profile.add_cookies([scene.cookie(name)])  # type: ignore[list-item]
        return _profile.new_page()

    yield open_as
    for page in _profile.pages:
        page.close()
    _profile.clear_cookies()
