"""How long each stage of a request took, for the traffic log and the benchmark of the stages."""

from time import perf_counter_ns
from typing import Self

from gateway.record.entries import StageTimes
from gateway.times import now_us


class Stages:
    """A stop watch with a mark after each stage; `us` is the wall clock at its start."""

    __slots__ = ("_began", "_last", "_took", "us")

    def __init__(self) -> None:
        self.us = now_us()
        self._began = self._last = perf_counter_ns()
        self._took: dict[str, int] = {}

    @classmethod
    def told(cls, us: int, times: tuple[int, int, int, int, int, int]) -> Self:
        """The watch of a request whose stages were timed elsewhere, in the order of `StageTimes`."""
        watch = cls()
        watch.us = us
        watch._took = dict(zip(StageTimes.__struct_fields__, times, strict=True))
        return watch

    def after(self, stage: str) -> None:
        """The stage ends here: one of decode, flags, decide, run, settle."""
        now = perf_counter_ns()
        self._took[f"{stage}_us"] = (now - self._last) // 1000
        self._last = now

    def elapsed_us(self) -> int:
        """Microseconds since the start."""
        return (perf_counter_ns() - self._began) // 1000

    def times(self) -> StageTimes:
        """Microseconds by stage."""
        return StageTimes(**self._took)
