"""Requests that meet before a model are run together, and nobody waits for company.

Two rules, by what a run was measured to cost:

- A short run stays on the event loop. What arrives in one turn of the loop is run at the end of that turn; a request
  that is alone waits for nothing but the turn in which it came.
- A long run has the session's own thread. It begins at once while the thread is idle; what arrives meanwhile gathers,
  and is the next run.

Only requests for the same release whose items have equal shapes are joined, and only where admission saw that an item
is answered the same alone and together and where the machine gains by it. The line before a model is bounded: beyond
it a request is refused at once, with the time after which to try again.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from math import ceil, inf
from typing import Protocol
from uuid import UUID

import structlog

from gateway.inference.errors import ModelFailed, TooManyWait
from gateway.inference.joining import Result, run_alone, run_together
from gateway.inference.line import Line, Most, Waiting
from gateway.inference.session import INLINE_MAX_US, OnnxSession
from gateway.metrics import JOINED_REQUESTS, LINE_REFUSED
from gateway.protocol.datatypes import Tensor
from gateway.registry.card import BatchBounds

PAYS_BELOW = 0.8
"""Items are joined where a further one costs less than this part of the first; else the run is not worth the wait."""


class Runner(Protocol):
    """What answers the requests for one release."""

    async def infer(
        self, feeds: Mapping[str, Tensor], *, items: int, caller: UUID, within_s: float | None = None
    ) -> dict[str, Tensor]:
        """The outputs for feeds that fit the signature; a caller may have a time of its own. Raises: GatewayError."""

    def refuse_early(self, caller: UUID) -> None:
        """Return while a request of this caller would be let in line. Raises: TooManyWait."""


class Batcher:
    """Runs one release's requests on its session."""

    def __init__(self, session: OnnxSession, bounds: BatchBounds, *, joins: bool, model: str) -> None:
        self._session = session
        self._bounds = bounds
        self._model = model
        self._joins = joins and bounds.join and session.cost.further_us < PAYS_BELOW * session.cost.first_us
        self._turn = Line()
        self._line = Line()
        self._running = False
        self._loop = asyncio.get_running_loop()

    @property
    def joins(self) -> bool:
        """Whether requests are joined."""
        return self._joins

    @property
    def most_together(self) -> int:
        """How many items one run on the loop takes."""
        return self._most_on_loop().rows

    async def infer(
        self,
        feeds: Mapping[str, Tensor],
        *,
        items: int,
        caller: UUID,
        within_s: float | None = None,  # noqa: ARG002 - a run that has begun is ended by nobody
    ) -> dict[str, Tensor]:
        """The outputs for feeds that fit the signature; on the loop or in the session's thread, as its cost says.

        A caller that is cancelled leaves the run to end by itself. Raises: TooManyWait, ModelRefusedValues,
        ModelOutOfMemory, ModelFailed.
        """
        short = self._session.cost.of(items) <= INLINE_MAX_US
        if short and not self._joins:
            return self._session.run(feeds)
        if not short:
            return await self.begin(feeds, items=items, caller=caller)
        waiting = Waiting(feeds, items, caller, self._loop.create_future())
        if not self._turn.requests:
            self._loop.call_soon(self._end_of_turn)
        self._turn.put(waiting)
        return await waiting.answer

    def begin(self, feeds: Mapping[str, Tensor], *, items: int, caller: UUID) -> "asyncio.Future[dict[str, Tensor]]":
        """Run feeds in the session's thread, as soon as it is their turn. Raises: TooManyWait."""
        waiting = Waiting(feeds, items, caller, self._loop.create_future())
        if self._running:
            self.refuse_early(caller)
            self._line.put(waiting)
        else:
            self._start([waiting])
        return waiting.answer

    def has_room(self, caller: UUID) -> bool:
        """Whether a request of this caller would be let in line."""
        line, bounds = self._line, self._bounds
        return not line.requests or (
            line.waiting_of(caller) < line.share(caller, bounds.max_waiting) and line.bytes < bounds.max_waiting_bytes
        )

    def refuse_early(self, caller: UUID) -> None:
        """Return while the line has room for a request of this caller. Raises: TooManyWait."""
        if self.has_room(caller):
            return
        LINE_REFUSED.add(self._model)
        refusal = TooManyWait(model=self._model)
        refusal.retry_after_s = self._wait_s()
        raise refusal

    def _wait_s(self) -> float:
        """How long what waits now will take, in whole seconds, at least one."""
        seconds = self._session.cost.of(self._line.rows) / 1e6
        return float(max(1, ceil(seconds))) if seconds < inf else 1.0

    def _end_of_turn(self) -> None:
        """Run what came in this turn, as much as the loop may be held up for; the rest is for the next turn."""
        batch = self._turn.take(self._most_on_loop())
        if self._turn.requests:
            self._loop.call_soon(self._end_of_turn)
        JOINED_REQUESTS.observe(len(batch), self._model)
        self._settle(batch, self._run(batch))

    def _start(self, batch: list[Waiting]) -> None:
        """Run these in the session's thread; what waits then is the next run."""
        self._running = True
        JOINED_REQUESTS.observe(len(batch), self._model)
        running = self._session.in_thread(self._run, batch)
        running.add_done_callback(lambda ran: self._loop.call_soon_threadsafe(self._ended, batch, ran))

    def _ended(self, batch: list[Waiting], ran: "Future[list[Result]]") -> None:
        self._running = False
        following = self._line.take(self._most_in_thread())
        if following:
            self._start(following)
        self._settle(batch, ran.result())

    def _run(self, batch: list[Waiting]) -> list[Result]:
        """What became of each, in this thread; whatever goes wrong, nobody is left waiting."""
        try:
            return self._results(batch)
        except Exception as error:  # noqa: BLE001 - a run that ends as no run should
            return [_lost(error) for _ in batch]

    def _results(self, batch: list[Waiting]) -> list[Result]:
        if batch and self._joins:
            results = run_together(self._session, [each.feeds for each in batch], [each.rows for each in batch])
            if results is not None:
                return results
            # Made-up inputs did not show it at admission.
            self._joins = False
            structlog.get_logger().warning("requests_not_joined", model=self._model, reason="outputs mix rows")
        return [run_alone(self._session, each.feeds) for each in batch]

    @staticmethod
    def _settle(batch: list[Waiting], results: list[Result]) -> None:
        """Tell those who still wait."""
        for waiting, result in zip(batch, results, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(result, Exception):
                waiting.answer.set_exception(result)
            else:
                waiting.answer.set_result(result)

    def _most_on_loop(self) -> Most:
        """As many items as keep a run short."""
        cost, bounds = self._session.cost, self._bounds
        further = (INLINE_MAX_US - cost.first_us) / cost.further_us if cost.further_us else bounds.max_rows
        return Most(rows=min(bounds.max_rows, 1 + int(further)), bytes=bounds.max_bytes)

    def _most_in_thread(self) -> Most:
        bounds = self._bounds
        return Most(alone=not self._joins, rows=bounds.max_rows, bytes=bounds.max_bytes)


def _lost(cause: Exception) -> ModelFailed:
    """What a request is told whose run ended as no run should."""
    error = ModelFailed()
    error.__cause__ = cause
    return error
