"""What the play prints: paragraphs that stay, and on a terminal one line that is written anew."""

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

INDENT = "  "
WIDEST = 96
BOLD, DIM, GREEN, YELLOW, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[0m"
NEWS_EVERY_S = 10.0
"""How often the line of status is printed where it cannot be written anew."""


class Screen:
    """A terminal or a file; colours only on a terminal, and not where NO_COLOR asks for none."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self.live = self._out.isatty()
        self._coloured = self.live and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._status = ""
        self._news_at = 0.0

    @property
    def width(self) -> int:
        """How many characters a line has."""
        return min(shutil.get_terminal_size((80, 24)).columns, WIDEST)

    def say(self, text: str = "", *, style: str = "") -> None:
        """Print a paragraph, folded to the width; a text that must not be folded goes through `show`."""
        folded = textwrap.wrap(text, self.width - 2, initial_indent=INDENT, subsequent_indent=INDENT) or [""]
        for line in folded:
            self.show(line, style=style)

    def show(self, line: str, *, style: str = "") -> None:
        """Print one line as it is."""
        self._clear()
        print(self.styled(line, style), file=self._out, flush=True)
        self._redraw()

    def styled(self, text: str, style: str) -> str:
        """The text in a style, where there are any."""
        return f"{style}{text}{PLAIN}" if style and self._coloured and text else text

    def done(self, what: str, seconds: float) -> None:
        """Print that a step of the set-up is done."""
        self.show(f"{INDENT}{self.styled('✓', GREEN)} {what:<58}{self.styled(f'{seconds:5.1f} s', DIM)}")

    @contextmanager
    def step(self, what: str, done: str) -> Iterator[None]:
        """Say what is going on, and what is done when it is."""
        started = time.monotonic()
        self.status(f"{what} …")
        yield
        self.status("")
        self.done(done, time.monotonic() - started)

    def status(self, text: str) -> None:
        """Write the line of status anew; where that cannot be done, print it every ten seconds."""
        if self.live:
            self._clear()
            self._status = text
            self._redraw()

    def news(self, text: str) -> None:
        """A line of status that is worth keeping where lines cannot be written anew."""
        if self.live:
            self.status(text)
        elif time.monotonic() - self._news_at >= NEWS_EVERY_S:
            self._news_at = time.monotonic()
            print(f"{INDENT}{text}", file=self._out, flush=True)

    def _clear(self) -> None:
        if self._status:
            self._out.write("\r\033[2K")

    def _redraw(self) -> None:
        if self._status:
            self._out.write(self.styled(f"{INDENT}{self._status}"[: self.width - 1], DIM))
            self._out.flush()
