"""Counts what plain requests came to, a moment later and many at once: it costs a lone request less than its answer."""

import asyncio
from collections.abc import Sequence

import msgspec

from gateway.decision import Decision, PathName
from gateway.express.finished import Finished
from gateway.metrics import JOINED_REQUESTS, PREDICTION_SECONDS, PREDICTIONS, counts_late
from gateway.noted import tell
from gateway.plan import ModelPlan
from gateway.statistics import STATISTICS, Spending

LATE_S = 0.05
"""How long a count may wait; whoever reads counts has them added up first."""
MOST = 256
"""As many requests are added up at once, wherever the time stands: a full gateway keeps no more of them in memory."""


class _Answered(msgspec.Struct, frozen=True, gc=False):
    """What counts of a request; nothing in it keeps its tensors."""

    model: ModelPlan
    decision: Decision
    items: int
    stages: tuple[int, int, int, int, int, int]
    took_ns: int
    at_us: int


class Tally:
    """The plain requests that were answered and are not counted yet. For one loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answered: list[_Answered] = []
        self._runs: list[tuple[str, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        counts_late(self)

    def ran(self, model: str, requests: int) -> None:
        """One run answers so many requests of a model."""
        self._runs.append((model, requests))
        if len(self._runs) >= MOST:
            self.catch_up()

    def answered(self, finished: Sequence[Finished], ended_ns: int) -> None:
        """These have been answered, at this time of `perf_counter_ns`; their events are told now."""
        kept = self._answered
        for one in finished:
            at, took_ns = one.waiting, ended_ns - one.waiting.began_ns
            model = at.target.model
            kept.append(_Answered(model, at.answering.decision, at.request.items, one.stages, took_ns, at.at_us))
            tell(model.name, 200, "", took_ns / 1e9)
        if len(kept) >= MOST:
            self.catch_up()
        elif self._timer is None:
            self._timer = self._loop.call_later(LATE_S, self.catch_up)

    def catch_up(self) -> None:
        """Add up what is not counted yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        runs, self._runs = self._runs, []
        for name, requests in runs:
            JOINED_REQUESTS.observe(requests, name)
        answered, self._answered = self._answered, []
        by_model: dict[int, list[_Answered]] = {}
        for each in answered:
            by_model.setdefault(id(each.model), []).append(each)
        for those in by_model.values():
            _count(those[0].model, those)


def _count(model: ModelPlan, answered: list[_Answered]) -> None:
    """Count requests of one model, in the order of their answers."""
    alike: dict[tuple[int, str, PathName, str, int], Spending] = {}
    for one in answered:
        decision = one.decision
        key = (decision.release.version, decision.release.name, decision.path, decision.rule, one.items)
        spent = alike.get(key)
        if spent is None:
            spent = alike[key] = Spending()
        spent.add(one.stages, one.took_ns // 1000)
    PREDICTION_SECONDS.observe_each([one.took_ns / 1e9 for one in answered], model.name)
    for (version, release, path, rule, items), spent in alike.items():
        PREDICTIONS.add(model.name, release, path, rule, by=spent.times)
        STATISTICS.answered_alike(model, version, path, items, spent, answered[-1].at_us)
