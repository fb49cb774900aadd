"""Guidelines are Markdown from people who upload cards: they never become script, form or tracker."""

import pytest

from review.console.guideline import rendered


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "![pixel](https://elsewhere.example/pixel.png)",
        "**<b onmouseover=alert(1)>bold</b>**",
    ],
)
def test_nothing_in_a_guideline_runs(text: str) -> None:
    """HTML stays text, links lead only to the web, and pictures are not fetched."""
    html = str(rendered(text))
    for risk in ("<script", "<img", "<b ", 'href="javascript', 'href="data'):
        assert risk not in html


def test_headings_stay_below_the_cards_own() -> None:
    """A first heading of a guideline is a fourth one on the page."""
    assert str(rendered("# Sentiment")) == "<h4>Sentiment</h4>\n"


def test_links_open_beside_the_lane() -> None:
    """A link never takes the reviewer's cards away."""
    assert 'target="_blank"' in str(rendered("[the rules](https://example.org/rules)"))
