"""Counts what plain requests came to, a moment later and many at once: it costs a lone request less than its answer."""

import asyncio
from collections.abc import Sequence

from gateway.decision import PathName
from gateway.express.finished import Finished
from gateway.metrics import JOINED_REQUESTS, PREDICTION_SECONDS, PREDICTIONS, counts_late
from gateway.noted import tell
from gateway.plan import ModelPlan
from gateway.statistics import STATISTICS, Spending

LATE_S = 0.05
"""How long a count may wait; whoever reads counts has them added up first."""
MOST = 256
"""As many requests are added up at once, wherever the time stands: a full gateway keeps no more of them in memory."""
Alike = tuple[int, str, PathName, str, int]
"""Version, release, path, rule and items of requests that are counted together."""


class Tally:
    """The plain requests that were answered and are not counted yet. For one loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answered: list[tuple[Finished, int]] = []
        self._runs: list[tuple[str, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        counts_late(self)

    def ran(self, model: str, requests: int) -> None:
        """One run answers so many requests of a model."""
        self._runs.append((model, requests))
        if len(self._runs) >= MOST:
            self.settle()

    def answered(self, finished: Sequence[Finished], ended_ns: int) -> None:
        """These have been answered, at this time of `perf_counter_ns`; their events are told now."""
        kept = self._answered
        for one in finished:
            took_ns = ended_ns - one.waiting.began_ns
            kept.append((one, took_ns))
            tell(one.waiting.target.model.name, 200, "", took_ns / 1e9)
        if len(kept) >= MOST:
            self.settle()
        elif self._timer is None:
            self._timer = self._loop.call_later(LATE_S, self.settle)

    def settle(self) -> None:
        """Add up what is not counted yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        runs, self._runs = self._runs, []
        for name, requests in runs:
            JOINED_REQUESTS.observe(requests, name)
        answered, self._answered = self._answered, []
        by_model: dict[int, tuple[ModelPlan, list[tuple[Finished, int]]]] = {}
        for each in answered:
            model = each[0].waiting.target.model
            by_model.setdefault(id(model), (model, []))[1].append(each)
        for model, those in by_model.values():
            _count(model, those)


def _count(model: ModelPlan, answered: list[tuple[Finished, int]]) -> None:
    """Count requests of one model, in the order of their answers."""
    alike: dict[Alike, Spending] = {}
    for one, took_ns in answered:
        at, decision = one.waiting, one.waiting.answering.decision
        key = (decision.release.version, decision.release.name, decision.path, decision.rule, at.request.items)
        spent = alike.get(key)
        if spent is None:
            spent = alike[key] = Spending()
        spent.add(one.stages, took_ns // 1000)
    PREDICTION_SECONDS.observe_each([took_ns / 1e9 for _, took_ns in answered], model.name)
    last_us = answered[-1][0].waiting.at_us
    for (version, release, path, rule, items), spent in alike.items():
        PREDICTIONS.add(model.name, release, path, rule, by=spent.times)
        STATISTICS.answered_alike(model, version, path, items, spent, last_us)
