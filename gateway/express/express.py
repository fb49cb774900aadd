"""Plain requests on their way: taken as they come, run at the end of the loop's turn, and answered in one go.

What comes of a run is judged for all its requests at once; their entries are one write, before any of them is answered.
A request that turns out not to be plain (it is held, drawn for audit, or its model has something to say that is no
number) goes the general way with what was drawn for it, and nobody has noted anything of it here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from random import Random
from time import perf_counter, perf_counter_ns
from typing import NamedTuple

from msgspec import UNSET

from gateway.errors import GatewayError
from gateway.express.exchange import Exchange
from gateway.express.finished import Finished, count
from gateway.express.judging import Judged, all_finite
from gateway.express.moulds import Varying, item_of
from gateway.express.outputs import Outputs
from gateway.express.shadowing import PlainShadow
from gateway.express.target import Target
from gateway.express.turn import Turn, Waiting, fair_share
from gateway.holding.holds import Holds
from gateway.ids import fresh_id
from gateway.inference.shadow import ShadowRunner
from gateway.noted import note_failure
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


class Made(NamedTuple):
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
        self._turns: dict[int, Turn] = {}

    def take(self, exchange: Exchange) -> bool:
        """Whether this request is plain, and is answered by and by; if not, nothing has happened to it."""
        try:
            return self._take(exchange)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the general way answers
            note_failure(error)
            return False

    def _take(self, exchange: Exchange) -> bool:
        began_ns, at_us = perf_counter_ns(), now_us()
        authorization = None
        for name, value in exchange.headers:
            if name in _NOT_PLAIN:
                return False
            if name == b"authorization" and authorization is None:
                authorization = value
        target = self._target(authorization, exchange.target, at_us) if authorization is not None else None
        request = target.reader.read(exchange.body) if target is not None else None
        if target is None or request is None:
            return False
        read_ns = perf_counter_ns()
        answering = target.answering(self._follower.flags, request, at_us, self._process)
        if answering is None:
            return False
        self._join(Waiting(exchange, target, request, answering, at_us, began_ns, read_ns))
        return True

    def _target(self, authorization: bytes, path: bytes, at_us: int) -> Target | None:
        """The target of a key and a path under the plan in force."""
        live = self._follower.live
        key = sha256(authorization).digest(), path
        known: tuple[Plan, Target | None] | None = live.made.get(key)
        if known is None or known[0] is not live.plan:
            if len(live.made) >= _TARGETS_MAX:
                live.made.clear()
            target = Target.of(live, authorization.decode("latin-1"), path.decode("latin-1"), at_us)
            known = live.made[key] = live.plan, target
        return None if known[1] is None or known[1].expired(at_us) else known[1]

    def _join(self, waiting: Waiting) -> None:
        release = waiting.target.release
        turn = self._turns.get(id(release))
        if turn is None:
            turn = self._turns[id(release)] = Turn(release)
            self._loop.call_soon(self._end_of_turn, turn)
        turn.waiting.append(waiting)

    def _end_of_turn(self, turn: Turn) -> None:
        """Run what came, as much as the loop may be held up for; the rest is for the next turn."""
        batch, turn.waiting = fair_share(turn.waiting, turn.waiting[0].target.batcher.most_together)
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
        full = pressed(model, policy, self._holds.open_count(model.id))
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
        text, digest, tensors = told
        identifier, captured = fresh_id(), policy.capture >= 1.0 or self._random.random() < policy.capture
        finished = Finished(waiting, judged, start, tensors, identifier, rate, _stages(waiting, ran_ns), draws)
        varying = Varying(
            at_us=waiting.at_us,
            prediction=identifier.bytes,
            api_key=waiting.target.key_bytes,
            input_digest=request.digest,
            output_digest=digest,
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
            one.waiting.exchange.generally(one.finished.draws)
        ended = perf_counter()
        count([one.finished for one in made[:written]], ended)
        for one in made[:written]:
            self._follower.flags.asked(one.waiting.target.model.name, one.waiting.answering.view)
        self._shadow.offer([one.finished for one in made[:written]])


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
