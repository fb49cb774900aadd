"""Runs a trial's other release beside plain answers, joined, as `gateway.inference.shadow` runs it beside one.

What was answered gathers for a moment: nobody waits for it. Then one run is for all of it, in a thread, because only
there a run can be ended; its answers are compared, and recorded in one write, when no plain request waits for its own.
Of the loop's time this takes a share at most (`lines.SHARE`). What finds no room in line meanwhile is dropped and
counted, before anybody knows what it would have said. What has to be looked at by itself goes the general way: a run
that fails, takes too long or has not a row an item is made there again, alone, and an item that is drawn keeps its
payloads there.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from time import thread_time
from weakref import WeakSet

import msgspec
import structlog

from gateway.compare import differing_items
from gateway.express.companion import Companion, Joint
from gateway.express.finished import Finished, beside
from gateway.express.joined import Joined, joined
from gateway.express.lines import ALONE_S, COMPARED_TOGETHER, GATHER_S, TOGETHER_MAX, Lines, rest_after
from gateway.express.moulds import VaryingShadow
from gateway.express.outputs import Heads, Kept, Outputs
from gateway.inference.aside import Aside, TookTooLong
from gateway.inference.beside import Ran
from gateway.inference.session import Session
from gateway.inference.shadow import ShadowRunner
from gateway.labels import Answer
from gateway.metrics import SHADOW_RUNS
from gateway.protocol.datatypes import Tensor
from gateway.record.codec import ENTRY_MAX_BYTES
from gateway.record.entries import InlineTensor
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import TrafficLog
from gateway.times import now_us

_RUN_MAX_S = 1.0
"""A run that was measured to be short and takes this long is none of the short ones."""
_TURNS_GIVEN = 8
"""How many turns of the loop with answers in them a comparison waits for."""


class PlainShadow:
    """The runs beside the plain answers of one process; they end with its other shadow runs."""

    def __init__(
        self, log: TrafficLog, shadow: ShadowRunner, random: Random, *, answers_wait: Callable[[], bool]
    ) -> None:
        self._log = log
        self._shadow = shadow
        self._random = random
        self._answers_wait = answers_wait
        self._loop = asyncio.get_running_loop()
        self._aside = Aside("shadow-joined")
        self._lines = Lines()
        self._task: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._long: WeakSet[Session] = WeakSet()
        """Sessions of which a run has taken too long; they run alone."""
        self._heads: Heads = {}
        self._dropped: list[bytes] = []
        """Entries of runs that were dropped, to be written together."""
        self._closed = False
        shadow.ends_with(self.close)

    def offer(self, answered: Sequence[Finished]) -> None:
        """Line up the runs that belong to these answers; what there is no room for is dropped and counted."""
        dropped: dict[tuple[Joint, str], list[Finished]] = {}
        for each in answered:
            answering = each.waiting.answering
            if answering.decision.shadow_release is None:
                continue
            companion = answering.companion
            if companion is None or companion.session in self._long:
                self._shadow.offer(beside(each))
            elif reason := self._why_not(companion, each):
                dropped.setdefault((companion.joint, reason), []).append(each)
        for (_, reason), several in dropped.items():
            self._drop(several, reason)
        if self._lines and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._work(), name="shadow-joined")

    async def close(self) -> None:
        """Drop and count what waits or is being run."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._lines:
            line = self._lines.pop()
            self._drop(line.waiting, "shutdown")
            line.hold.close()
        self._write_dropped()
        self._aside.close()

    def _why_not(self, companion: Companion, run: Finished) -> str:
        """Why the run finds no room in line; '' where it stands there now."""
        if self._closed:
            return "shutdown"
        if self._aside.stuck:
            return "stuck"
        return "" if self._lines.put(companion, run) else "queue_full"

    async def _work(self) -> None:
        """Run what has gathered, line by line, until nothing waits."""
        while self._lines:
            gathering = 0.0 if self._lines.one_is_full else GATHER_S
            await asyncio.sleep(max(gathering, self._rests_until - self._loop.time()))
            if not self._shadow.room:
                self._rests_until = self._loop.time() + GATHER_S
                continue
            line = self._lines.pop()
            companion = _companion(line.waiting[0])
            with line.waiting[0].waiting.target.live.in_use():
                taken = line.take(min(TOGETHER_MAX, self._shadow.room), companion)
                self._lines.put_back(line, companion)
                spent_s = await self._make(companion, taken)
            self._rests_until = self._loop.time() + rest_after(spent_s)

    async def _make(self, companion: Companion, taken: list[Finished]) -> float:
        """Make, compare and record these runs; the seconds that it took of the loop and beside it."""
        count = len(taken)
        try:
            return await self._made(companion, taken)
        except asyncio.CancelledError:
            self._drop(taken, "shutdown")
            raise
        except Exception as error:  # noqa: BLE001 - whatever one run does, the next one begins
            structlog.get_logger().error("shadow_run_lost", release=companion.name, exc_info=error)
            return ALONE_S * count

    async def _made(self, companion: Companion, taken: list[Finished]) -> float:
        """As `_make`; of `taken` those are left of which nothing has been recorded or handed on."""
        if companion.session in self._long:
            return await self._alone(taken)
        began = thread_time()
        batches = [tuple(taken)] if companion.joins else [(each,) for each in taken]
        feeds = [_feeds(batch) for batch in batches]
        spent_s = thread_time() - began
        try:
            runs = await self._aside.run(partial(joined, companion.session, feeds), _RUN_MAX_S)
        except TookTooLong:
            self._long.add(companion.session)
            spent_s += await self._alone(taken)
            await self._aside.ended()
            return spent_s
        except Exception:  # noqa: BLE001 - alone it tells which run it is, and why
            return spent_s + await self._alone(taken)
        for batch, run in zip(batches, runs, strict=True):
            spent_s += run.busy_s + await self._compare(companion, batch, run, taken)
        return spent_s + await self._alone(taken)

    async def _after_answers(self) -> None:
        """Return when no plain request waits, or some turns of the loop have had their answers."""
        for _ in range(_TURNS_GIVEN):
            await asyncio.sleep(0)
            if not self._answers_wait():
                return

    async def _alone(self, taken: list[Finished]) -> float:
        """Hand these on to be run alone, a turn of the loop each; the seconds that it takes of the loop."""
        count = len(taken)
        while taken:
            self._shadow.offer(beside(taken.pop(0)))
            await asyncio.sleep(0)
        return ALONE_S * count

    async def _compare(
        self, companion: Companion, batch: Sequence[Finished], run: Joined, taken: list[Finished]
    ) -> float:
        """Compare and record what one run says, the first of `taken`; the seconds that it takes.

        What the run has no row for stands behind the others of `taken` then.
        """
        items = sum(each.waiting.request.items for each in batch)
        whole = all(array.shape[:1] == (items,) for array in run.outputs.values())
        answers = companion.judge.answers(run.outputs) if whole else None
        if answers is None:
            taken[:] = [*taken[len(batch) :], *batch]
            return 0.0
        outputs, start, spent_s = Outputs(run.outputs, self._heads), 0, 0.0
        for at in range(0, len(batch), COMPARED_TOGETHER):
            await self._after_answers()
            began, part = thread_time(), batch[at : at + COMPARED_TOGETHER]
            del taken[: len(part)]
            told = self._record(companion, part, outputs, answers, start, run.us)
            start += sum(each.waiting.request.items for each in part)
            spent_s += thread_time() - began + ALONE_S * told
        return spent_s

    def _record(
        self, companion: Companion, part: Sequence[Finished], outputs: Outputs, answers: list[Answer | None],
        start: int, us: int,
    ) -> int:  # fmt: skip
        """Record these, whose rows begin at `start`; how many of them are recorded as runs alone are."""
        at_us, entries = now_us(), []
        for each in part:
            stop = start + each.waiting.request.items
            entry = self._entry(each, answers[start:stop], outputs.kept(start, stop), us, at_us)
            if entry is not None:
                entries.append(entry)
            start = stop
        if entries:
            SHADOW_RUNS.add(part[0].waiting.target.model.name, companion.name, "answered", by=len(entries))
        self._write(entries)
        return len(part) - len(entries)

    def _entry(self, run: Finished, said: list[Answer | None], kept: Kept, us: int, at_us: int) -> bytes | None:
        """The entry of a run; None where it is recorded as a run alone is: an item was drawn, or it is too large."""
        own, companion = run.judged.answers[run.start : run.start + len(said)], _companion(run)
        differing = () if own == said else tuple(differing_items(companion.schema, own, said))
        answers = tuple([said[item - 1] for item in differing])
        draws = tuple([self._random.random() for _ in differing])
        if not differing or not any(draw < companion.probability for draw in draws):
            varying = VaryingShadow(
                at_us=at_us,
                prediction=run.identifier.bytes,
                status="answered",
                item_count=len(said),
                output_digest=kept[0],
                outputs=kept[1],
                run_us=us,
                differing=differing,
                draws=draws,
                answers=answers,
            )
            entry = companion.mould.cast(varying)
            if len(entry) <= ENTRY_MAX_BYTES:
                return entry
        tensors = tuple(InlineTensor(**msgspec.structs.asdict(each)) for each in kept[1])
        ran = Ran(differing=differing, answers=answers, digest=kept[0], outputs=tensors, run_us=us, draws=draws)
        self._shadow.tell(beside(run), ran)
        return None

    def _drop(self, several: Sequence[Finished], reason: str) -> None:
        """Record and count that these were not run, which stood in one line or would have."""
        if not several:
            return
        at_us, dropped = now_us(), self._dropped
        if not (dropped or self._closed):
            self._loop.call_later(GATHER_S, self._write_dropped)
        for each in several:
            varying = VaryingShadow(
                at_us=at_us,
                prediction=each.identifier.bytes,
                status="dropped",
                reason=reason,
                item_count=each.waiting.request.items,
            )
            dropped.append(_companion(each).mould.cast(varying))
        SHADOW_RUNS.add(several[0].waiting.target.model.name, _companion(several[0]).name, "dropped", by=len(several))
        if self._closed:
            self._write_dropped()

    def _write_dropped(self) -> None:
        dropped, self._dropped = self._dropped, []
        self._write(dropped)

    def _write(self, entries: list[bytes]) -> None:
        """Write entries in one go; what a full disk does not take is counted, as of other shadow runs."""
        if not entries:
            return
        try:
            written = self._log.write_together(entries)
        except (DiskReserveReached, TrafficLogUnavailable):
            written = 0
        self._log.counts.unrecorded += len(entries) - written


def _companion(run: Finished) -> Companion:
    """The companion of a run, which stands in line because it has one."""
    companion = run.waiting.answering.companion
    assert companion is not None
    return companion


def _feeds(batch: Sequence[Finished]) -> dict[str, Tensor]:
    """What these were answered of, one after the other."""
    requests = [each.waiting.request for each in batch]
    return batch[0].waiting.target.reader.feeds(requests, sum(request.items for request in requests))
