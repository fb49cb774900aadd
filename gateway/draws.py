"""Random numbers for draws that nobody may foresee, from the system's source, many at a time."""

import os
import struct
from random import Random
from typing import NoReturn

_AT_ONCE = 512
_BITS = struct.Struct(f"{_AT_ONCE}Q")
_SCALE = 2.0**-53


class SystemDraws(Random):
    """As `random.SystemRandom`, which asks the system for each number, and takes ten times as long for it."""

    def __init__(self) -> None:
        self._drawn: list[float] = []
        super().__init__()

    def random(self) -> float:
        """The next number, uniform in [0, 1), of 53 random bits."""
        if not self._drawn:
            self._drawn = [(bits >> 11) * _SCALE for bits in _BITS.unpack(os.urandom(_BITS.size))]
        return self._drawn.pop()

    def seed(self, *_seed: object) -> None:
        """Nothing: the system has no seed."""

    def getrandbits(self, k: int, /) -> int:
        """A number of `k` random bits."""
        return int.from_bytes(os.urandom((k + 7) // 8), "little") >> (-k % 8)

    def getstate(self) -> NoReturn:
        """Raises: NotImplementedError, for there is no state that would come again."""
        raise NotImplementedError

    def setstate(self, _state: object) -> NoReturn:
        """Raises: NotImplementedError."""
        raise NotImplementedError
