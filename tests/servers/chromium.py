"""The system's Chromium for browser tests, and Playwright's fixtures for the length of one module.

Playwright's synchronous API keeps an event loop running in its thread. Were it open for the whole session, as its own
plugin has it, no asynchronous test could run after the first browser test.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Playwright, sync_playwright

from tests.servers.process import MissingPart

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
ARGUMENTS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # Chromium has no sandbox for root, and containers often forbid the one it has.
    "--no-sandbox",
)


def chromium() -> Path:
    """The browser: what CHROMIUM says, or the first found on the path or among the applications."""
    named = os.environ.get("CHROMIUM")
    on_path = [Path(place) for name in NAMES if (place := shutil.which(name))]
    for program in [*([Path(named)] if named else []), *on_path, *APPLICATIONS]:
        if program.exists():
            return program
    message = (
        "Chromium is missing: install Chromium or Chrome (on Debian: apt install chromium), or name it in CHROMIUM."
    )
    raise MissingPart(message)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Playwright's launch options: the system's browser, silent on the network."""
    return {"executable_path": str(chromium()), "args": list(ARGUMENTS)}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, closed after the module, so that asynchronous tests can follow."""
    with sync_playwright() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser_type(playwright: Playwright, browser_name: str) -> BrowserType:
    """Chromium, in Playwright's words."""
    kind: BrowserType = getattr(playwright, browser_name)
    return kind


@pytest.fixture(scope="module")
def launch_browser(browser_type_launch_args: dict[str, Any], browser_type: BrowserType) -> Callable[..., Browser]:
    """How to start another browser with options of one's own."""
    return lambda **options: browser_type.launch(**{**browser_type_launch_args, **options})


@pytest.fixture(scope="module")
def browser(launch_browser: Callable[..., Browser]) -> Iterator[Browser]:
    """One browser for the tests of a module; `page` and `context` are fresh for each."""
    opened = launch_browser()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, Any]:
    """How each page is opened: a desktop's window, English, UTC, no animation."""
    return {
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }
