"""What the README says, block by block: files to write, commands to type, and what they print.

`README=write` keeps what was really printed; any other run compares. What differs from run to run (ports, ids, times,
keys) is brought to one form first, and so the page shows that form.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
URL = "http://127.0.0.1:8000"
GRPC = "127.0.0.1:8001"
FENCE = re.compile(r"(?:<!-- (?P<mark>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```\n", re.DOTALL)
FOLLOWED = re.compile(r"<!-- followed by a test -->\n(.*?)<!-- end of what a test follows -->", re.DOTALL)
CONSTANT = (
    (r"/console/join/[\w-]+", "/console/join/…"),
    (r"lg_[\w-]{20,}", "lg_…"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "01a2058b-73eb-757a-aa85-3ecbb1937fcf"),
    (r"\b[0-9a-f]{12}…", "1a81a0d9cac7…"),
    (r"\b[0-9a-f]{64}\b", "d555fadb0cbc…"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "2026-11-22T14:03:00.000Z"),
    # One answer in fifty is drawn for audit, so that this number is 0 or, seldom, 1.
    (r"(automated +automated +\d+ +\d+ +\d+ +)\d", r"\g<1>0"),
)


class Block(NamedTuple):
    """A fenced block with the comment before it, which says what it is."""

    mark: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """What is typed in a console block."""
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a part of the page, in order."""
    for found in FENCE.finditer(text):
        yield Block(found["mark"] or "", found["language"], found["text"])


def followed() -> list[Block]:
    """The blocks that somebody follows who serves a model of their own."""
    found = FOLLOWED.search(README.read_text())
    assert found is not None, "the README has lost the marks of what a test follows"
    return list(blocks(found[1]))


def marked(mark: str) -> Block:
    """The block with this comment before it."""
    return next(block for block in blocks(README.read_text()) if block.mark == mark)


def constant(printed: str, places: Mapping[str, str]) -> str:
    """What was printed with all that differs from run to run in one form; `places` are texts of this very run."""
    for here, said in places.items():
        printed = printed.replace(here, said)
    for pattern, said in CONSTANT:
        printed = re.sub(pattern, said, printed)
    return re.sub(r"\d\.\d{5,}(e-\d+)?", lambda found: f"{float(found[0]):.3f}", printed)


def hold_true(said: list[Block], happened: list[Block]) -> None:
    """Compare what the page says with what happened; with README=write make the page say it."""
    if os.environ.get("README") == "write":
        page = README.read_text()
        for old, new in zip(said, happened, strict=True):
            page = page.replace(_fenced(old), _fenced(new), 1)
        README.write_text(page)
        return
    for old, new in zip(said, happened, strict=True):
        assert old.text == new.text, "the README says something else: look, then run with README=write"


def _fenced(block: Block) -> str:
    mark = f"<!-- {block.mark} -->\n" if block.mark else ""
    return f"{mark}```{block.language}\n{block.text}```\n"
