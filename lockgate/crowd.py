"""Who is connected to a listener, and who has to go: when too many are, or when what was told to them is not read.

A connection without a request at work gives way to a new one, first the one that has rested the longest; so a crowd
that says nothing keeps nobody out. Where all are at work, the new one is told 503.
"""

import resource
from typing import Protocol

import msgspec

RESERVED_FILES = 512
"""What a process keeps open beside its listener's connections: the ledger, the traffic log, models, other servers."""
FEWEST = 16
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 40\r\n\r\n"
    b'{"error":"Too many connections at once"}'
)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one listener bears: how many connections, how long a head and an answer's reader may take, what may lie
    unread in all."""

    connections_max: int = 128
    head_s: float = 30.0
    answer_s: float = 60.0
    unread_max_bytes: int = 256 << 20


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    def unread_bytes(self) -> int:
        """What was written and is not read yet."""

    def cut_off(self) -> None:
        """The end of the connection, whatever still lies there."""


class Crowd:
    """The connections of one listener."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._resting: dict[Guest, None] = {}
        self._present: set[Guest] = set()
        self._unread: dict[Guest, None] = {}

    def came(self, guest: Guest) -> bool:
        """Whether there is room for one more, if need be in the place of one that rests."""
        if len(self._present) >= self.bounds.connections_max:
            longest = next(iter(self._resting), None)
            if longest is None:
                return False
            self.left(longest)
            longest.cut_off()
        self._present.add(guest)
        self._resting[guest] = None
        return True

    def works(self, guest: Guest) -> None:
        """A request of it is here."""
        self._resting.pop(guest, None)

    def rests(self, guest: Guest) -> None:
        """It has been answered."""
        if guest in self._present:
            self._resting[guest] = None

    def left(self, guest: Guest) -> None:
        """It is here no more."""
        self._present.discard(guest)
        self._resting.pop(guest, None)
        self._unread.pop(guest, None)

    def lags(self, guest: Guest) -> None:
        """It does not read as fast as it is written to; who has lagged longest goes when too much lies unread."""
        self._unread[guest] = None
        unread = {each: each.unread_bytes() for each in self._unread}
        total = sum(unread.values())
        for each, size in unread.items():
            if total <= self.bounds.unread_max_bytes or each is guest:
                return
            total -= size
            del self._unread[each]
            each.cut_off()

    def reads(self, guest: Guest) -> None:
        """It has read."""
        self._unread.pop(guest, None)


def room_for(connections: int) -> int:
    """How many of these connections a process may have, so that it never runs out of files for anything else.

    It first takes as many files as the system lets it have: for these, a tenth as many over gRPC, and the reserve.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + over_grpc(connections) + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = _raised(wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), soft, hard)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(FEWEST, min(connections, (soft - RESERVED_FILES) * 10 // 11))


def over_grpc(connections: int) -> int:
    """How many connections belong to the gRPC listener beside so many over HTTP: one carries many calls."""
    return max(FEWEST, connections // 10)


def _raised(wanted: int, soft: int, hard: int) -> int:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has a bound of its own
        return soft
    return wanted
