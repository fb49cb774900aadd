"""Links between the pages lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("demo/*.md")])
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")


def prose(page: Path) -> str:
    """The page without its blocks and bits of code."""
    return CODE.sub("", FENCE.sub("", page.read_text()))


def links(page: Path) -> Iterator[str]:
    """Where the page's links lead, except to other sites."""
    return (link for link in LINK.findall(prose(page)) if not re.match(r"\w+:", link))


def anchors(page: Path) -> set[str]:
    """The names of the page's headings, as links spell them."""
    titles = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading of it that is there."""
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.relative_to(ROOT)}: {link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{page.relative_to(ROOT)}: {link} names no heading"


def test_every_page_is_in_the_index() -> None:
    """Each page and each decision stands in docs/README.md."""
    index = set(links(ROOT / "docs/README.md"))
    pages = {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")} - {"README.md"}
    assert pages - index == set()


def test_decisions_are_short() -> None:
    """A decision has at most 50 lines."""
    for page in ROOT.glob("docs/decisions/*.md"):
        assert len(page.read_text().splitlines()) <= 50, page.name
