"""Tables of the documentation that are made from the code: `python -m tests.contracts.docs --write` writes them anew.

A table lives between two comments in a page; everything around it is written by hand.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.contracts import tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
Rows = Sequence[Sequence[str]]


class Table(NamedTuple):
    """One generated table: where it stands, its heading, and the function that makes its rows from the code."""

    name: str
    page: str
    heading: Sequence[str]
    rows: Callable[[], Rows]

    @property
    def path(self) -> Path:
        return DOCS / self.page

    def text(self) -> str:
        """The table as Markdown."""
        lines = [self.heading, ["---"] * len(self.heading), *self.rows()]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)

    def placed(self, page: str) -> str:
        """The page with this table in its place; ValueError when the page has no place for it."""
        place = re.compile(rf"(<!-- made from the code: {self.name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            message = f"docs/{self.page} has no '<!-- made from the code: {self.name} -->' … '<!-- end -->'"
            raise ValueError(message)
        return place.sub(lambda found: f"{found[1]}{self.text()}\n{found[2]}", page)

    @property
    def in_step(self) -> bool:
        """Whether the page says what the code says."""
        page = self.path.read_text()
        return self.placed(page) == page


TABLES = (
    Table("errors", "errors.md", ("code", "status", "what it says"), tables.errors),
    Table("settings", "settings.md", ("setting", "variable", "expects", "default", "meaning"), tables.settings),
    Table("metrics", "metrics.md", ("metric", "kind", "labels", "meaning"), tables.metrics),
    Table("commands", "commands.md", ("command", "what it does"), tables.commands),
    Table("operator keys", "console.md", ("key", "what it is", "what it does"), tables.operator_keys),
    Table("release keys", "console.md", ("key", "what it is", "what it does"), tables.release_keys),
    Table("keys", "console.md", ("key", "what it is", "what it does"), tables.keys),
    Table("flags", "flags.md", ("flag", "on", "off, unknown or never loaded"), tables.flags),
    Table("protocol", "api.md", ("route", "what it does"), tables.protocol),
    Table("routes", "api.md", ("route", "what it does", "permission"), tables.routes),
)


def main(arguments: Sequence[str]) -> int:
    """Name each table that is out of step, and with --write bring it in step; 1 when one stays out of step."""
    stale = [table for table in TABLES if not table.in_step]
    for table in stale:
        print(f"docs/{table.page}: {table.name}")
        if "--write" in arguments:
            table.path.write_text(table.placed(table.path.read_text()))
    return int(bool(stale) and "--write" not in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
