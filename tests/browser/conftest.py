"""Fixtures of the browser tests: a console with a world behind it, and a page of somebody who is signed in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.scene import Scene, running_console

SignIn = Callable[[str], Page]


@pytest.fixture
def scene(sqlite_ledger_url: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Scene]:
    """A running console with people, a model and a queue, and nothing held yet."""
    with running_console(sqlite_ledger_url, tmp_path, free_port()) as running:
        yield running


@pytest.fixture
def signed_in(scene: Scene, context: BrowserContext) -> SignIn:
    """A page of somebody who is signed in: ada, ben, cleo review, lena leads, olga operates, adam administers."""

    def open_as(name: str) -> Page:
        context.add_cookies([scene.cookie(name)])  # type: ignore[list-item]
        return context.new_page()

    return open_as
