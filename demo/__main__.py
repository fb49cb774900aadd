"""`python -m demo`: the play with you; `--once` plays it without you and ends with one line of JSON."""

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from demo.errors import DemoError
from demo.home import HOME, only_one
from demo.play import words
from demo.play.ending import Played
from demo.play.play import Options, play
from demo.play.screen import Screen

REQUESTS = 480
PORT = 8000
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; the exit status is 0 when no caller was let down and every hold told its truth."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no ✓ shall show another sign
    options, screen = _options(arguments), Screen()
    try:
        with only_one(options.home) as tell_others:
            words.tell_plan(screen, once=options.once)
            figures = asyncio.run(play(options, screen, tell_others))
    except (asyncio.CancelledError, KeyboardInterrupt):
        words.tell_end(screen, options.home)
        return INTERRUPTED if options.once else 0
    except DemoError as error:
        return _fail(screen, error)
    except BaseExceptionGroup as group:
        error_or_none = _first(group)
        if error_or_none is None:
            raise
        return _fail(screen, error_or_none)
    assert figures is not None, "a play with you lasts until it is ended"
    return _finish(screen, figures)


def _finish(screen: Screen, figures: Played) -> int:
    """Print the last line; the exit status."""
    if figures.failed_requests or figures.holds_true < figures.holds:
        screen.say("Not every caller was answered, or not every hold told its truth: this should not happen.")
    screen.show("")
    print(msgspec.json.encode(figures).decode(), flush=True)
    return int(bool(figures.failed_requests) or figures.holds_true < figures.holds)


def _fail(screen: Screen, error: DemoError) -> int:
    screen.status("")
    print(error, file=sys.stderr)
    return 1


def _first(group: BaseExceptionGroup[BaseException]) -> DemoError | None:
    """The sentence in a group of errors; none when something else than the demo's own went wrong."""
    ours, others = group.split(DemoError)
    while ours is not None and isinstance(ours.exceptions[0], BaseExceptionGroup):
        ours = ours.exceptions[0]
    first = ours.exceptions[0] if ours is not None and others is None else None
    return first if isinstance(first, DemoError) else None


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Three models, real raters, and a caller who waits for you."
    )
    parser.add_argument("--once", action="store_true", help="play without you, and end with one JSON object")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"how many, with --once ({REQUESTS})")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT") or PORT), help=f"the first port to try ({PORT})"
    )
    parser.add_argument("--home", type=Path, default=HOME, help="where its data are kept (.demo)")
    given = parser.parse_args(arguments)
    return Options(once=given.once, requests=given.requests, port=given.port, home=given.home.absolute())


if __name__ == "__main__":
    sys.exit(main())
