"""What gateways know of each other's connections."""

import os
import time
from collections.abc import Iterator

import pytest

from lockgate import tally
from lockgate.tally import GONE, Tally, shared_rows


@pytest.fixture
def three() -> Iterator[list[Tally]]:
    """The rows of three gateways, each as its own process sees them."""
    descriptor = shared_rows(3)
    yield [Tally(descriptor, row, 3) for row in range(3)]
    os.close(descriptor)


def test_nobody_has_said_anything_at_first(three: list[Tally]) -> None:
    """Before the first word no gateway is known to have fewer connections than another."""
    assert [each.fewest() for each in three] == [None, None, None]


def test_the_fewest_of_the_others_are_told(three: list[Tally]) -> None:
    """A gateway's own number does not count for itself."""
    for connections, each in zip((5, 2, 9), three, strict=True):
        each.say(connections)
    assert [each.fewest() for each in three] == [2, 5, 2]


def test_who_leaves_is_not_waited_for(three: list[Tally]) -> None:
    """One that takes no more connections has not the fewest of them."""
    three[0].say(4)
    three[1].say(GONE)
    assert three[2].fewest() == 4
    assert three[0].fewest() is None


def test_an_old_word_does_not_count(three: list[Tally], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was ended, or hangs, has soon said nothing; its next word counts again."""
    three[0].say(1)
    later = time.monotonic_ns() + int(tally.LATELY_S * 1e9) + 1
    monkeypatch.setattr(tally.time, "monotonic_ns", lambda: later)
    assert three[1].fewest() is None
    three[0].say(1)
    assert three[1].fewest() == 1
