"""Plain requests on their way: taken as they come, run at the end of the loop's turn, and answered in one go.

What comes of a run is judged for all its requests at once; their entries are one write, before any of them is answered.
A request for whose model too many wait already is refused as it comes (`entrance.py`).
A request that turns out not to be plain (it is held, drawn for audit, or its model has something to say that is no
number) goes the general way with what was drawn for it, and nobody has noted anything of it here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter, perf_counter_ns
from typing import NamedTuple

from msgspec import UNSET

from gateway.errors import GatewayError
from gateway.express.entrance import Entrance
from gateway.express.exchange import Exchange
from gateway.express.finished import Finished, count, offer
from gateway.express.hashing import digest
from gateway.express.judging import Judged, all_finite
from gateway.express.moulds import Varying, item_of
from gateway.express.outputs import Outputs
from gateway.express.target import Target
from gateway.express.turn import Turn, Waiting, fair_share
from gateway.holding.holds import Holds
from gateway.http.entry import refused
from gateway.http.problem_media import asks_for_problems
from gateway.ids import fresh_id
from gateway.inference.errors import TooManyWait
from gateway.inference.shadow import ShadowRunner
from gateway.noted import note, note_failure
from gateway.pipeline import pressed
from gateway.plan import Plan
from gateway.protocol.datatypes import Tensor
from gateway.record.codec import ENTRY_MAX_BYTES
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import TrafficLog
from gateway.registry.follower import Follower
from gateway.registry.live import LiveRelease
from gateway.times import now_us

_NOT_PLAIN = frozenset(
    {b"prefer", b"idempotency-key", b"lockgate-context", b"content-encoding", b"inference-header-content-length"}
)
"""Headers that ask for something beside the answer, or say that the body is not plain JSON."""
_TARGETS_MAX = 1024


class Known(NamedTuple):
    """What is known of a key and a path under a plan."""

    plan: Plan
    entrance: Entrance | None
    target: Target | None


class Made(NamedTuple):
    """A request with its entry and its reply, of which nothing has left yet."""

    waiting: Waiting
    finished: Finished
    entry: bytes
    reply: bytes
    draws: tuple[float, ...]


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
        self._shadow = shadow
        self._random = random
        self._compressed_from = compressed_from
        self._process = log.settings.process
        self._loop = asyncio.get_running_loop()
        self._turns: dict[int, Turn] = {}

    def take(self, exchange: Exchange) -> bool:
        """Whether this request is plain and answered by and by, or refused; if not, nothing has happened to it."""
        try:
            return self._take(exchange)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
            note_failure(error)
            return False

    def _take(self, exchange: Exchange) -> bool:
        began_ns, at_us = perf_counter_ns(), now_us()
        plain, authorization = True, None
        for name, value in exchange.headers:
            if name in _NOT_PLAIN:
                plain = False
            elif name == b"authorization" and authorization is None:
                authorization = value
        known = self._known(authorization, exchange.target, at_us) if authorization is not None else None
        if known is None or known.entrance is None or known.entrance.expired(at_us):
            return False
        if plain and known.target is not None and self._take_plain(exchange, known.target, at_us, began_ns):
            return True
        return self._refuse(exchange, known.entrance, began_ns)

    def _take_plain(self, exchange: Exchange, target: Target, at_us: int, began_ns: int) -> bool:
        """Whether the request is plain; it then waits for the end of the turn."""
        request = target.reader.read(exchange.body)
        if request is None:
            return False
        read_ns = perf_counter_ns()
        answering = target.answering(self._follower.flags, request, at_us, self._process)
        if answering is None:
            return False
        self._join(Waiting(exchange, target, request, answering, at_us, began_ns, read_ns))
        return True

    @staticmethod
    def _refuse(exchange: Exchange, entrance: Entrance, began_ns: int) -> bool:
        """Whether too many wait for the model; the request is then refused, as the general way would."""
        if asks_for_problems(exchange.headers):
            return False
        try:
            entrance.runner.refuse_early(entrance.caller.key_id)
        except TooManyWait as error:
            note(entrance.model, error.status, error.code, began_ns / 1e9)
            exchange.refuse(refused(error, exchange.target.decode("ascii")))
            return True
        return False

    def _known(self, authorization: bytes, path: bytes, at_us: int) -> Known:
        """What is known of a key and a path under the plan in force."""
        live = self._follower.live
        key = digest(authorization), path
        known: Known | None = live.made.get(key)
        if known is None or known.plan is not live.plan:
            if len(live.made) >= _TARGETS_MAX:
                live.made.clear()
            told = authorization.decode("latin-1"), path.decode("latin-1"), at_us
            known = live.made[key] = Known(live.plan, Entrance.of(live, *told), Target.of(live, *told))
        return known

    def _join(self, waiting: Waiting) -> None:
        release = waiting.target.release
        turn = self._turns.get(id(release))
        if turn is None:
            turn = self._turns[id(release)] = Turn(release, waiting.target.heads)
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
                    self._answer(turn, each)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
                note_failure(error)
                _generally(each)

    def _answer(self, turn: Turn, batch: list[Waiting]) -> None:
        """Run, judge, record and answer these requests; the general way takes them where anything is not as usual."""
        target, items = batch[0].target, sum(waiting.request.items for waiting in batch)
        feeds = target.reader.feeds([waiting.request for waiting in batch], items)
        arrays = _run(target.release, feeds, items)
        ran_ns = perf_counter_ns()
        judged = target.judge.judge(feeds, arrays, target.release.release.policy) if arrays is not None else None
        if arrays is None or judged is None:
            _generally(batch)
        else:
            self._finish(self._made(batch, judged, Outputs(arrays, turn.heads), ran_ns))

    def _made(self, batch: list[Waiting], judged: Judged, outputs: Outputs, ran_ns: int) -> list[Made]:
        """The requests that are still plain, each with its entry and reply; the others go the general way."""
        made: list[Made] = []
        start = 0
        for waiting in batch:
            stop = start + waiting.request.items
            draws = tuple([self._random.random() for _ in range(start, stop)])
            one = self._make(waiting, judged, outputs, start, draws, ran_ns)
            if one is None:
                waiting.exchange.generally(draws)
            else:
                made.append(one)
            start = stop
        return made

    def _make(self, waiting: Waiting, judged: Judged, outputs: Outputs, start: int, draws: tuple[float, ...],
              ran_ns: int) -> Made | None:  # fmt: skip
        """The entry and the reply of a request; None where it is not plain after all."""
        answering, request, model = waiting.answering, waiting.request, waiting.target.model
        decision, policy = answering.decision, answering.decision.policy
        full = model.queue.capacity is not None and pressed(model, policy, self._holds.open_count(model.id))
        rate = policy.audit_rate_under_pressure if full else policy.audit_rate
        items = []
        for index, draw in enumerate(draws, start):
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
        identifier, captured = fresh_id(), policy.capture >= 1.0 or self._random.random() < policy.capture
        finished = Finished(waiting, judged, start, tensors, identifier, rate, _stages(waiting, ran_ns))
        varying = Varying(
            at_us=waiting.at_us,
            prediction=identifier.bytes,
            api_key=waiting.target.key_bytes,
            input_digest=request.digest,
            output_digest=output_digest,
            request_id=UNSET if request.id is None else request.id,
            items=tuple(items),
            inputs=request.inputs if captured else (),
            outputs=tensors if captured else (),
            stages=finished.stages,
        )
        entry = answering.entry.cast(varying)
        reply = answering.reply.cast(str(identifier), request.id, text)
        if len(entry) > ENTRY_MAX_BYTES or len(reply) >= self._compressed_from:
            return None
        return Made(waiting, finished, entry, reply, draws)

    def _finish(self, made: list[Made]) -> None:
        """Write the entries, then answer; what could not be recorded is answered only where its policy says so."""
        try:
            written = self._log.write_together([one.entry for one in made])
        except (DiskReserveReached, TrafficLogUnavailable):
            written = 0
        for one in made[:written]:
            one.waiting.exchange.answer(one.reply)
        for one in made[written:]:
            one.waiting.exchange.generally(one.draws)
        ended = perf_counter()
        count([one.finished for one in made[:written]], ended)
        for one in made[:written]:
            self._follower.flags.asked(one.waiting.target.model.name, one.waiting.answering.view)
            offer(self._shadow, one.finished, one.draws)


def _run(release: LiveRelease, feeds: Mapping[str, Tensor], items: int) -> dict[str, Tensor] | None:
    """The outputs; None where a number is too large, the run fails or an item has no row of its own."""
    if not all(map(all_finite, feeds.values())):
        return None
    try:
        arrays = release.session.run(feeds)
    except GatewayError:
        return None
    return arrays if all(array.shape[:1] == (items,) for array in arrays.values()) else None


def _stages(waiting: Waiting, ran_ns: int) -> tuple[int, int, int, int, int, int]:
    """The microseconds of each stage until the run had ended; deciding is part of asking the flags."""
    read_us = (waiting.read_ns - waiting.began_ns) // 1000
    flags_us = (waiting.decided_ns - waiting.read_ns) // 1000
    return read_us, flags_us, 0, 0, (ran_ns - waiting.decided_ns) // 1000, (perf_counter_ns() - ran_ns) // 1000


def _generally(batch: Sequence[Waiting]) -> None:
    for waiting in batch:
        waiting.exchange.generally()
