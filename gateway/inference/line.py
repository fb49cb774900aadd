"""The line before a model: who waits, how much that is, and whose turn it is.

Callers take turns, so that one who sends much waits for itself and not others for it. Within a caller the order of
arrival holds.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Mapping
from functools import cached_property
from uuid import UUID

import msgspec

from gateway.protocol.datatypes import Tensor


class Waiting:
    """A request's tensors on their way to a model, and the answer that somebody awaits."""

    def __init__(
        self, feeds: Mapping[str, Tensor], rows: int, caller: UUID, answer: "asyncio.Future[dict[str, Tensor]]"
    ) -> None:
        self.feeds = feeds
        self.rows = rows
        self.caller = caller
        self.answer = answer
        self.bytes = sum(map(_size, feeds.values()))

    @cached_property
    def alike(self) -> Hashable:
        """Equal for requests whose tensors can be put one after the other: the shape of an item, by input."""
        return tuple((name, tensor.dtype.char, tensor.shape[1:]) for name, tensor in sorted(self.feeds.items()))


def _size(tensor: Tensor) -> int:
    """What a tensor takes in memory, roughly; of texts an array holds no more than where they are."""
    return tensor.nbytes + (sum(map(len, tensor.ravel().tolist())) if tensor.dtype.kind == "O" else 0)


class Most(msgspec.Struct, frozen=True, kw_only=True):
    """The most that is run together."""

    rows: int
    bytes: int
    alone: bool = False
    """Whether each request goes alone."""


class Line:
    """Requests that wait for one model."""

    def __init__(self) -> None:
        self._by_caller: OrderedDict[UUID, deque[Waiting]] = OrderedDict()
        self.requests = 0
        self.rows = 0
        self.bytes = 0

    def share(self, caller: UUID, requests_max: int) -> int:
        """How many requests of this caller may wait: an equal part of the line, beside the callers in it now."""
        others = len(self._by_caller) - (caller in self._by_caller)
        return max(1, requests_max // (others + 1))

    def waiting_of(self, caller: UUID) -> int:
        """How many requests of this caller wait."""
        return len(self._by_caller.get(caller, ()))

    def put(self, waiting: Waiting) -> None:
        """Stand at the end of the caller's own line."""
        self._by_caller.setdefault(waiting.caller, deque()).append(waiting)
        self._count(waiting, 1)

    def take(self, most: Most) -> list[Waiting]:
        """The next requests that can be run together: at least one, if any waits that somebody still awaits.

        The first caller's first request says what the others must be like; then each caller in turn gives its next
        one that is like it, while that fits. A request whose caller has left is dropped.
        """
        taken: list[Waiting] = []
        rows = size = 0
        callers = deque(self._by_caller)
        while callers and not (taken and most.alone):
            caller = callers.popleft()
            found = self._next(caller, taken[0] if taken else None)
            if found is None:
                continue
            if taken and (rows + found.rows > most.rows or size + found.bytes > most.bytes):
                continue
            taken.append(found)
            rows, size = rows + found.rows, size + found.bytes
            self._remove(found)
            if caller in self._by_caller:
                callers.append(caller)
        return taken

    def _next(self, caller: UUID, like: Waiting | None) -> Waiting | None:
        """The caller's first request that is still awaited and, if asked for, like another one."""
        line = self._by_caller[caller]
        if not line[0].answer.done() and (like is None or line[0].alike == like.alike):
            return line[0]
        for waiting in tuple(line):
            if waiting.answer.done():
                self._remove(waiting)
            elif like is None or waiting.alike == like.alike:
                return waiting
        return None

    def _remove(self, waiting: Waiting) -> None:
        """Take a request out; who gave one stands behind the other callers."""
        line = self._by_caller[waiting.caller]
        line.remove(waiting)
        if line:
            self._by_caller.move_to_end(waiting.caller)
        else:
            del self._by_caller[waiting.caller]
        self._count(waiting, -1)

    def _count(self, waiting: Waiting, sign: int) -> None:
        self.requests += sign
        self.rows += sign * waiting.rows
        self.bytes += sign * waiting.bytes
