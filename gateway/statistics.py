"""What each version of a model has answered since this process began, in the words of Triton's statistics extension.

An execution is one run of a model, an inference one item of it. Times are those of the stages that the traffic log
keeps: reading the tensors, waiting, running, and settling; a wait for a person is in none of them.
"""

from types import TracebackType
from typing import Literal, Self
from uuid import UUID

from msgspec import Struct

from gateway.holding.held import HeldPrediction
from gateway.leaving import CallerLeft
from gateway.metrics import catch_up
from gateway.plan import ModelPlan
from gateway.record.entries import Path, StageTimes
from gateway.stages import Stages

BATCH_SIZES_MAX = 128
"""How many sizes of a batch are told apart; there are few in practice, and a caller must not make them many."""
PATHS: tuple[Path, ...] = ("automated", "shadow", "review")

Key = tuple[UUID, str, int]


class Spent(Struct, kw_only=True):
    """How often, and how long in all."""

    count: int = 0
    ns: int = 0

    def add(self, us: int, times: int = 1) -> None:
        """Once more, or several times that took so long together."""
        self.count += times
        self.ns += us * 1000


class Spending:
    """The microseconds that several predictions took together, by stage and in all."""

    __slots__ = ("decode_us", "queue_us", "run_us", "settle_us", "times", "whole_us")

    def __init__(self) -> None:
        self.times = self.decode_us = self.queue_us = self.run_us = self.settle_us = self.whole_us = 0

    def add(self, stages: tuple[int, int, int, int, int, int], whole_us: int) -> None:
        """One more, with the microseconds of `StageTimes`."""
        self.times += 1
        self.decode_us += stages[0]
        self.queue_us += stages[3]
        self.run_us += stages[4]
        self.settle_us += stages[5]
        self.whole_us += whole_us


class InferenceStatistics(Struct, kw_only=True):
    """The requests that were answered, by stage, and those that failed."""

    success: Spent
    fail: Spent
    queue: Spent
    compute_input: Spent
    compute_infer: Spent
    compute_output: Spent
    cache_hit: Spent
    """A settled correction that answered an identical input."""
    cache_miss: Spent


class BatchStatistics(Struct, kw_only=True):
    """The executions of one batch size."""

    batch_size: int
    compute_input: Spent
    compute_infer: Spent
    compute_output: Spent


class ModelStatistics(Struct, kw_only=True):
    """What one version of a model has answered; `paths` splits the successes."""

    name: str
    version: str
    last_inference: int = 0
    """Milliseconds UTC; 0 before the first."""
    inference_count: int = 0
    execution_count: int = 0
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics]
    paths: dict[Path, Spent]


class Statistics:
    """The statistics of one process."""

    def __init__(self) -> None:
        self._kept: dict[Key, ModelStatistics] = {}

    def of(self, model: ModelPlan) -> list[ModelStatistics]:
        """The champion's version, and every other that has answered in this process, by number."""
        catch_up()
        self._version(model, model.champion.version)
        return [self._kept[key] for key in sorted(self._kept) if key[:2] == (model.tenant_id, model.name)]

    def answered(self, prediction: HeldPrediction, took: StageTimes, whole_us: int) -> None:
        """Count a prediction that was run and settled."""
        kept = self._version(prediction.model, prediction.decision.release.version)
        items = len(prediction.settled.items)
        kept.last_inference = prediction.decided_us // 1000
        kept.inference_count += items
        kept.execution_count += 1
        stages = kept.inference_stats
        stages.success.add(whole_us)
        stages.queue.add(took.queue_us)
        (stages.cache_miss if prediction.decision.precedent is None else stages.cache_hit).add(whole_us)
        kept.paths[prediction.settled.path].add(whole_us)
        for each in (stages, self._batch(kept, items)):
            if each is not None:
                each.compute_input.add(took.decode_us)
                each.compute_infer.add(took.run_us)
                each.compute_output.add(took.settle_us)

    def answered_alike(
        self, model: ModelPlan, version: int, path: Path, items: int, spent: Spending, at_us: int
    ) -> None:
        """Count predictions of `items` items each that the model answered on the same path."""
        kept, times = self._version(model, version), spent.times
        kept.last_inference = at_us // 1000
        kept.inference_count += items * times
        kept.execution_count += times
        stages = kept.inference_stats
        stages.success.add(spent.whole_us, times)
        stages.queue.add(spent.queue_us, times)
        stages.cache_miss.add(spent.whole_us, times)
        kept.paths[path].add(spent.whole_us, times)
        for each in (stages, self._batch(kept, items)):
            if each is not None:
                each.compute_input.add(spent.decode_us, times)
                each.compute_infer.add(spent.run_us, times)
                each.compute_output.add(spent.settle_us, times)

    def request(self, model: ModelPlan, at: Stages) -> "Counting":
        """Counts the request of a block once, when it ends: as answered, or as failed."""
        return Counting(self, model, at)

    def failed(self, model: ModelPlan, us: int) -> None:
        """Count a request that was refused or failed."""
        self._version(model, model.champion.version).inference_stats.fail.add(us)

    def _version(self, model: ModelPlan, version: int) -> ModelStatistics:
        key = (model.tenant_id, model.name, version)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _nothing(model.name, version)
        return kept

    def _batch(self, kept: ModelStatistics, size: int) -> BatchStatistics | None:
        found = next((each for each in kept.batch_stats if each.batch_size == size), None)
        if found is None and len(kept.batch_stats) < BATCH_SIZES_MAX:
            found = BatchStatistics(
                batch_size=size, compute_input=Spent(), compute_infer=Spent(), compute_output=Spent()
            )
            kept.batch_stats.append(found)
        return found


class Counting:
    """A block whose request is counted once: a good run whose hold fails afterwards is a failure and nothing else.

    A caller's leaving is no failure; what was settled by then was answered.
    """

    __slots__ = ("_at", "_model", "_settled", "_statistics")

    def __init__(self, statistics: Statistics, model: ModelPlan, at: Stages) -> None:
        self._statistics, self._model, self._at = statistics, model, at
        self._settled: tuple[HeldPrediction, StageTimes, int] | None = None

    def settled(self, prediction: HeldPrediction) -> None:
        """The prediction was run and settled now; a wait for a person comes after it."""
        self._settled = prediction, self._at.times(), self._at.elapsed_us()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> Literal[False]:
        if isinstance(error, Exception) and not isinstance(error, CallerLeft):
            self._statistics.failed(self._model, self._at.elapsed_us())
        elif self._settled is not None:
            self._statistics.answered(*self._settled)
        return False


def _nothing(name: str, version: int) -> ModelStatistics:
    stages = InferenceStatistics(**{field: Spent() for field in InferenceStatistics.__struct_fields__})
    paths = {path: Spent() for path in PATHS}
    return ModelStatistics(name=name, version=str(version), inference_stats=stages, batch_stats=[], paths=paths)


STATISTICS = Statistics()
"""Those of this process."""
