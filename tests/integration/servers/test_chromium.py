"""The browser of the tests; in a module of its own, because its loop must not meet asynchronous tests."""

from playwright.sync_api import Page


def test_the_browser_shows_a_page(page: Page) -> None:
    """Chromium starts and shows a document."""
    page.set_content("<h1>An answer waits</h1>")
    assert page.get_by_role("heading").inner_text() == "An answer waits"
