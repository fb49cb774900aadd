"""Who has to go when too many are connected, or when too much lies unread."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from lockgate.crowd import RESERVED_FILES, Bounds, Crowd, over_grpc


@dataclass(eq=False)
class Guest:
    """A connection that notes its end."""

    unread: int = 0
    gone: bool = False

    def unread_bytes(self) -> int:
        return self.unread

    def cut_off(self) -> None:
        self.gone = True


def crowd(*, connections: int = 3, unread: int = 100) -> Crowd:
    """A small one."""
    return Crowd(Bounds(connections_max=connections, unread_max_bytes=unread))


def test_who_rested_longest_gives_way() -> None:
    """A new connection takes the place of the one that has been without a request for the longest."""
    some, room = [Guest() for _ in range(4)], crowd()
    assert all(room.came(guest) for guest in some)
    assert [guest.gone for guest in some] == [True, False, False, False]
    room.works(some[1])
    room.rests(some[1])
    assert room.came(Guest())
    assert [guest.gone for guest in some] == [True, False, True, False]


def test_nobody_at_work_is_cut_off() -> None:
    """Where every connection has a request at work, the new one finds no room; when one leaves, there is some."""
    some, room = [Guest() for _ in range(3)], crowd()
    for guest in some:
        assert room.came(guest)
        room.works(guest)
    assert not room.came(Guest())
    room.left(some[0])
    assert room.came(Guest())
    assert not any(guest.gone for guest in some)


def test_who_was_cut_off_does_not_come_back() -> None:
    """A connection that ends after it gave way takes no other's place with it."""
    first, room = Guest(), crowd(connections=1)
    assert room.came(first)
    second = Guest()
    assert room.came(second)
    room.rests(first)
    room.left(first)
    room.works(second)
    assert not room.came(Guest())


@pytest.mark.parametrize(
    ("sizes", "gone"),
    [
        ([50, 50], [False, False]),
        ([50, 51], [True, False]),
        ([10, 20, 90], [True, True, False]),
        ([101], [False]),
        ([101, 1], [True, False]),
        ([60, 30, 200], [True, True, False]),
    ],
)
def test_who_has_not_read_for_the_longest_goes_first(sizes: list[int], gone: list[bool]) -> None:
    """Beyond what may lie unread in all the oldest go, as many as are needed, and never the one that has just begun."""
    some, room = [Guest(size) for size in sizes], crowd()
    for guest in some:
        room.came(guest)
        room.lags(guest)
    assert [guest.gone for guest in some] == gone


def test_who_has_read_is_not_counted() -> None:
    """What was read, and what ended, lies nowhere."""
    reader, left, last, room = Guest(90), Guest(90), Guest(90), crowd()
    for guest, then in ((reader, room.reads), (left, room.left)):
        room.came(guest)
        room.lags(guest)
        then(guest)
    room.lags(last)
    assert [each.gone for each in (reader, left, last)] == [False] * 3


FILES = """
import resource
from lockgate.crowd import room_for
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(room_for({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room", "files"),
    [
        (256, 2000, 500, 500, 500 + over_grpc(500) + RESERVED_FILES),
        (256, 1612, 5000, 1000, 1612),
        (2000, 2000, 100, 100, 2000),
        (100, 100, 100, 16, 100),
    ],
    ids=["raised", "raised as far as it goes", "enough", "hardly any"],
)
def test_files_are_left_for_everything_else(soft: int, hard: int, wanted: int, room: int, files: int) -> None:
    """A process takes the files that the system lets it have, and fewer connections where these are too few."""
    script = FILES.format(soft=soft, hard=hard, wanted=wanted)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(room), str(files)]
