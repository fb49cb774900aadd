"""Free ports beside taken ones."""

import socket
from collections.abc import Iterator

import pytest

from demo.errors import NoFreePort
from demo.ports import free_port, free_ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_gives_way_to_the_next_free_one(taken: int) -> None:
    """Somebody else's server is left alone."""
    assert taken < free_port(taken) <= taken + 100


def test_a_free_port_is_kept(taken: int) -> None:
    """What was asked for is given when nobody has it."""
    free = free_port(taken)
    assert free_port(free) == free


def test_several_ports_are_never_the_same(taken: int) -> None:
    """Asking for one port three times gives three."""
    assert len(set(free_ports((taken, taken, taken)))) == 3


def test_the_end_of_the_numbers_is_a_sentence() -> None:
    """When nothing is free up to the last port, the range that was tried is named."""
    with pytest.raises(NoFreePort, match="65535 to 65535"):
        free_port(65_535, frozenset({65_535}))
