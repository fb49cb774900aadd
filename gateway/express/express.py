"""Plain requests on their way: taken as they come, run at the end of the loop's turn, and answered in one go.

A model that takes longer runs in its session's thread, as the batcher does it. What comes of a run is judged for all
its requests at once; their entries are one write, before any of them is answered.
A request for whose model too many wait already is refused as it comes (`entrance.py`).
A request that turns out not to be plain (it is held, drawn for audit, or its model has something to say that is no
number) goes the general way with what was drawn for it and what its model has said; nobody has noted anything of it
here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter_ns

import msgspec

from gateway.call import NOTHING_BEGUN, Begun
from gateway.capture import INLINE_MAX_BYTES
from gateway.errors import GatewayError
from gateway.express.entrance import refuse_if_full, seen_in
from gateway.express.exchange import Exchange
from gateway.express.finished import Finished
from gateway.express.judging import Judged, all_finite
from gateway.express.moulds import Varying, item_of
from gateway.express.outputs import Outputs
from gateway.express.shadowing import PlainShadow
from gateway.express.tally import Tally
from gateway.express.target import Target
from gateway.express.turn import Drawn, Turn, Waiting, fair_share
from gateway.holding.holds import Holds
from gateway.ids import fresh_id
from gateway.inference.shadow import ShadowRunner
from gateway.noted import note_failure
from gateway.pipeline import pressed
from gateway.protocol.datatypes import Tensor
from gateway.record.codec import ENTRY_MAX_BYTES
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import TrafficLog
from gateway.registry.follower import Follower
from gateway.registry.live import LiveRelease
from gateway.times import now_us


class Made(msgspec.Struct, frozen=True):
    """A request with its entry and its reply, of which nothing has left yet."""

    waiting: Waiting
    finished: Finished
    entry: bytes
    reply: bytes


class Express:
    """Answers the plain requests of one process."""

    def __init__(
        self,
        follower: Follower,
        holds: Holds,
        log: TrafficLog,
        shadow: ShadowRunner,
        random: Random,
        *,
        compressed_from: float,
    ) -> None:
        self._follower = follower
        self._holds = holds
        self._log = log
        self._shadow = PlainShadow(log, shadow, random, answers_wait=lambda: bool(self._turns))
        self._random = random
        self._compressed_from = compressed_from
        self._process = log.settings.process
        self._loop = asyncio.get_running_loop()
        self._tally = Tally()
        self._turns: dict[int, Turn] = {}
        self._long: set[asyncio.Task[None]] = set()

    def take(self, exchange: Exchange) -> bool:
        """Whether this request is plain and answered by and by, or refused; if not, nothing has happened to it."""
        try:
            return self._take(exchange)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
            note_failure(error)
            return False

    def _take(self, exchange: Exchange) -> bool:
        began_ns, at_us = perf_counter_ns(), now_us()
        seen = seen_in(self._follower.live, exchange)
        entrance = seen[1].open_to(at_us) if seen is not None else None
        if seen is None or entrance is None:
            return False
        asking, target = seen[0], seen[1].target
        if (
            asking.plain
            and target is not None
            and self._take_plain(exchange, target, asking.json_bytes, at_us, began_ns)
        ):
            return True
        return refuse_if_full(exchange, entrance, began_ns)

    def _take_plain(
        self, exchange: Exchange, target: Target, json_bytes: int | None, at_us: int, began_ns: int
    ) -> bool:
        """Whether the request is plain; it is then answered when its run has ended."""
        request = None if target.tells_much else target.reader.read(exchange.body, json_bytes)
        if request is None:
            return False
        read_ns = perf_counter_ns()
        answering = target.answering(self._follower.flags, request, at_us, self._process)
        if answering is None:
            return False
        waiting = Waiting(exchange, target, request, answering, at_us, began_ns, read_ns, perf_counter_ns())
        if target.short:
            self._join(waiting)
            return True
        return self._begin(waiting)

    def room(self, exchange: Exchange, size: int) -> memoryview | None:
        """Where a larger body shall lie, to be taken whole; None where it is not plain, or waits for its turn."""
        seen = seen_in(self._follower.live, exchange)
        if seen is None or not seen[0].plain or seen[1].target is None or seen[1].open_to(now_us()) is None:
            return None
        return seen[1].target.room(size, seen[0].json_bytes)

    def _join(self, waiting: Waiting) -> None:
        release = waiting.target.release
        turn = self._turns.get(id(release))
        if turn is None:
            turn = self._turns[id(release)] = Turn(release)
            self._loop.call_soon(self._end_of_turn, turn)
        turn.waiting.append(waiting)

    def _end_of_turn(self, turn: Turn) -> None:
        """Run what came, as much as the loop may be held up for; the rest is for the next turn."""
        batch, turn.waiting = turn.waiting, []
        if len(batch) > 1:
            batch, turn.waiting = fair_share(batch, batch[0].target.batcher.most_together)
        if turn.waiting:
            self._loop.call_soon(self._end_of_turn, turn)
        else:
            del self._turns[id(turn.release)]
        batches = [batch] if batch[0].target.batcher.joins else [[waiting] for waiting in batch]
        for each in batches:
            try:
                with each[0].target.live.in_use():
                    self._answer(each)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
                note_failure(error)
                _generally(each)

    def _begin(self, waiting: Waiting) -> bool:
        """Run a long model in its session's thread; false where too many wait for it."""
        target, request = waiting.target, waiting.request
        if not target.batcher.has_room(target.caller.key_id):
            return False
        feeds = target.reader.feeds([request], request.items)
        if request.elements and not all(map(all_finite, feeds.values())):
            return False
        running = target.batcher.begin(feeds, items=request.items, caller=target.caller.key_id)
        task = self._loop.create_task(self._end(waiting, feeds, running))
        self._long.add(task)
        task.add_done_callback(self._long.discard)
        return True

    async def _end(
        self, waiting: Waiting, feeds: dict[str, Tensor], running: "asyncio.Future[dict[str, Tensor]]"
    ) -> None:
        """Answer a request once its run has ended."""
        try:
            with waiting.target.live.in_use():
                arrays = await running
                self._judge([waiting], feeds, arrays)
        except GatewayError:
            waiting.exchange.generally()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
            note_failure(error)
            waiting.exchange.generally()

    def _answer(self, batch: list[Waiting]) -> None:
        """Run, judge, record and answer these requests; the general way takes them where anything is not as usual."""
        target, items = batch[0].target, sum([waiting.request.items for waiting in batch])
        feeds = target.reader.feeds([waiting.request for waiting in batch], items)
        arrays = _run(target.release, feeds)
        if arrays is None:
            _generally(batch)
        else:
            self._tally.ran(target.model.name, len(batch))
            self._judge(batch, feeds, arrays)

    def _judge(self, batch: list[Waiting], feeds: dict[str, Tensor], arrays: dict[str, Tensor]) -> None:
        """Judge what a run has come to, record and answer."""
        target, ran_ns = batch[0].target, perf_counter_ns()
        items = sum([waiting.request.items for waiting in batch])
        size, by_item = 0, True
        for array in arrays.values():
            size += array.nbytes
            by_item = by_item and array.shape[:1] == (items,)
        target.tells_much |= size > INLINE_MAX_BYTES * items
        told = by_item and not target.tells_much
        judged = target.judge.judge(feeds, arrays, target.release.release.policy) if told else None
        if judged is None:
            release = target.release.release.id
            _generally(batch, Begun(release=release, outputs=arrays) if len(batch) == 1 else NOTHING_BEGUN)
        else:
            self._finish(self._made(batch, judged, Outputs(arrays, target.heads, judged.rows), ran_ns))

    def _made(self, batch: list[Waiting], judged: Judged, outputs: Outputs, ran_ns: int) -> list[Made]:
        """The requests that are still plain, each with its entry and reply; the others go the general way."""
        made: list[Made] = []
        start = 0
        for waiting in batch:
            stop = start + waiting.request.items
            drawn = Drawn(tuple([self._random.random() for _ in range(start, stop)]), self._random.random())
            one = self._make(waiting, judged, outputs, start, drawn, ran_ns)
            if one is None:
                said = outputs.rows(start, stop)
                waiting.exchange.generally(drawn.begun(waiting.target.release.release.id, said))
            else:
                made.append(one)
            start = stop
        return made

    def _make(self, waiting: Waiting, judged: Judged, outputs: Outputs, start: int, drawn: Drawn,
              ran_ns: int) -> Made | None:  # fmt: skip
        """The entry and the reply of a request; None where it is not plain after all."""
        answering, request, model = waiting.answering, waiting.request, waiting.target.model
        decision, policy = answering.decision, answering.decision.policy
        full = model.queue.capacity is not None and pressed(model, policy, self._holds.open_count(model.id))
        rate = policy.audit_rate_under_pressure if full else policy.audit_rate
        items = []
        for index, draw in enumerate(drawn.items, start):
            answer, score = judged.answers[index], judged.scores[index]
            if answer is None or draw < rate or (judged.inside is not None and not judged.inside[index]):
                return None
            below = policy.hold_below_by_class.get(str(answer), policy.hold_below)
            if below and (score is None or score < below):
                return None
            items.append(item_of(answer, score, decision.rule, rate, draw))
        told = outputs.of(start, start + request.items)
        if told is None:
            return None
        text, output_digest, tensors = told
        identifier, captured = fresh_id(), drawn.capture < policy.capture
        if captured and not request.short:
            return None
        finished = Finished(waiting, judged, start, tensors, identifier, rate, waiting.stages(ran_ns), drawn)
        varying = Varying(
            at_us=waiting.at_us,
            prediction=identifier.bytes,
            api_key=waiting.target.key_bytes,
            input_digest=request.digest,
            output_digest=output_digest,
            request_id=msgspec.UNSET if request.id is None else request.id,
            items=tuple(items),
            inputs=request.inputs if captured else (),
            outputs=tensors if captured else (),
            stages=finished.stages,
        )
        entry = answering.entry.cast(varying)
        reply = answering.reply.cast(str(identifier), request.id, text)
        if len(entry) > ENTRY_MAX_BYTES or len(reply) >= self._compressed_from:
            return None
        return Made(waiting, finished, entry, reply)

    def _finish(self, made: list[Made]) -> None:
        """Write the entries, then answer; what could not be recorded is answered only where its policy says so."""
        try:
            written = self._log.write_together([one.entry for one in made])
        except (DiskReserveReached, TrafficLogUnavailable):
            written = 0
        for one in made[:written]:
            one.waiting.exchange.answer(one.reply)
        for one in made[written:]:
            one.waiting.exchange.generally(one.finished.drawn.begun())
        ended_ns = perf_counter_ns()
        finished = [one.finished for one in made[:written]]
        self._tally.answered(finished, ended_ns)
        for each in finished:
            self._follower.flags.asked(each.waiting.target.model.name, each.waiting.answering.view)
        self._shadow.offer(finished)


def _run(release: LiveRelease, feeds: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The outputs; None where a number is too large, or the run fails."""
    if not all(map(all_finite, feeds.values())):
        return None
    try:
        return release.session.run(feeds)
    except GatewayError:
        return None


def _generally(batch: Sequence[Waiting], begun: Begun = NOTHING_BEGUN) -> None:
    for waiting in batch:
        waiting.exchange.generally(begun)
