"""Counts parts of the traffic under two sides, in as many processes as there are cores to use.

A process loads both states of flags once and takes one Parquet file after the other; what comes back are counts.
"""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

import msgspec

from gateway.plan import ModelPlan
from review.simulation.chunk import Chunk
from review.simulation.flagging import ModelFlags, Where
from review.simulation.settling import Settling, Side
from review.simulation.tally import Context, Tally, add, tally_of
from review.traffic.recorded import Wanted, drawn, sealed_chunks

PROCESSES_MAX = 2


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force and what is proposed, and all that counting needs beside the traffic."""

    body_now: bytes
    body_then: bytes
    plan_now: ModelPlan
    plan_then: ModelPlan
    now_us: int
    versions: Mapping[str, int]
    where: Where
    wanted: Wanted
    context: Context


class Counter:
    """Counts chunks under both sides."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        model, same = sides.where.model, sides.body_then == sides.body_now
        self._flags_now = ModelFlags.of(sides.body_now, model)
        self._flags_then = self._flags_now if same else ModelFlags.of(sides.body_then, model)
        self._now = Settling(_side(sides, sides.plan_now))
        self._then = Settling(_side(sides, sides.plan_then))
        read = self._flags_now.fields(model) | self._flags_then.fields(model)
        self.wanted = msgspec.structs.replace(sides.wanted, fields=tuple(sorted(read)))

    def count(self, chunks: Iterable[Chunk]) -> Tally:
        """The counts of these chunks together."""
        total = Tally()
        for chunk in chunks:
            columns = self._flags_now.columns(chunk, self._sides.where)
            now = self._now.settle(chunk, columns)
            if self._flags_then is not self._flags_now:
                columns = self._flags_then.columns(chunk, self._sides.where)
            then = self._then.settle(chunk, columns)
            add(total, tally_of(chunk, drawn(chunk.prediction), now, then, self._sides.context))
        return total

    def count_part(self, part: Path) -> Tally:
        """The counts of one Parquet file; none where retention took it meanwhile."""
        try:
            return self.count(sealed_chunks(part, self.wanted))
        except FileNotFoundError:
            return Tally()


class _Worker:
    """What a process of the pool keeps."""

    counter: ClassVar[Counter]


def counting_pool(sides: Sides) -> ProcessPoolExecutor:
    """Processes that count parts with `count_part`; they lead no group of their own, so that they end with ours."""
    processes = max(1, min(PROCESSES_MAX, os.cpu_count() or 1))
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(sides,))


def count_part(part: Path) -> Tally:
    """The counts of one Parquet file, in a process of the pool."""
    return _Worker.counter.count_part(part)


def _begin(sides: Sides) -> None:
    _Worker.counter = Counter(sides)


def _side(sides: Sides, plan: ModelPlan) -> Side:
    return Side(
        plan=plan, now_us=sides.now_us, versions=sides.versions,
        stale_then_s=sides.plan_now.champion.policy.stale_after_s,
    )  # fmt: skip
