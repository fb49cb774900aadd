"""What a process says of its models."""

from uuid import UUID

import pytest

from gateway.decision import Asked, Decision, Settled, SettledItem
from gateway.errors import BadRequest
from gateway.holding.held import HeldPrediction
from gateway.leaving import CallerLeft
from gateway.plan import Caller
from gateway.protocol.signature import Signature
from gateway.stages import Stages
from gateway.statistics import BATCH_SIZES_MAX, Statistics
from tests.plans import TENANT, make_model, make_release

MODEL = make_model(champion=make_release(2))


def prediction(items: int = 1, path: str = "automated", release: int = 2) -> HeldPrediction:
    """A settled prediction of so many items."""
    found = make_release(release)
    settled = tuple(
        SettledItem(item=n + 1, held=False, rule="automated", evidence={}, answer="positive", score=None)
        for n in range(items)
    )
    return HeldPrediction(
        id=UUID(int=9),
        caller=Caller(key_id=UUID(int=8), key_name="k", tenant_id=TENANT, person_id=None, scopes=frozenset()),
        model=MODEL,
        decision=Decision(release=found, path=path, rule="automated", by="model", policy=found.policy),  # type: ignore[arg-type]
        settled=Settled(path=path, rule="automated", items=settled),  # type: ignore[arg-type]
        asked=Asked(),
        flag_state=None,
        facts={},
        input_digest="",
        inputs={},
        beside={},
        outputs={},
        signature=Signature(inputs=(), outputs=()),
        decided_us=5_000_000,
    )


def test_a_model_that_nobody_asked_has_a_row_of_zeros() -> None:
    """The champion's version is told before it has answered."""
    [found] = Statistics().of(MODEL)
    assert (found.name, found.version, found.last_inference, found.inference_count) == ("sentiment", "2", 0, 0)
    assert (found.inference_stats.success.count, found.batch_stats) == (0, [])


def test_answers_are_counted_by_version_path_and_size() -> None:
    """Items are inferences, requests executions; each version has its own row, each path its share."""
    statistics = Statistics()
    for items, path, release in ((1, "automated", 2), (8, "review", 2), (8, "shadow", 2), (1, "automated", 3)):
        at = Stages()
        at.after("run")
        statistics.answered(prediction(items, path, release), at)
    champion, candidate = statistics.of(MODEL)
    assert (champion.inference_count, champion.execution_count, champion.last_inference) == (17, 3, 5_000)
    assert {path: spent.count for path, spent in champion.paths.items()} == {"automated": 1, "shadow": 1, "review": 1}
    assert [(batch.batch_size, batch.compute_infer.count) for batch in champion.batch_stats] == [(1, 1), (8, 2)]
    assert champion.inference_stats.cache_miss.count == champion.inference_stats.success.count == 3
    assert (candidate.version, candidate.execution_count) == ("3", 1)


def test_sizes_are_not_told_apart_without_end() -> None:
    """However many sizes come, so many rows are kept; everything is still counted."""
    statistics = Statistics()
    for items in range(BATCH_SIZES_MAX + 10):
        statistics.answered(prediction(items), Stages())
    [found] = statistics.of(MODEL)
    assert (len(found.batch_stats), found.execution_count) == (BATCH_SIZES_MAX, BATCH_SIZES_MAX + 10)


@pytest.mark.parametrize(("error", "failures"), [(BadRequest(), 1), (RuntimeError(), 1), (CallerLeft(), 0)])
def test_failures_are_counted(error: Exception, failures: int) -> None:
    """A refusal and a fault are failures of the model's requests; a caller's leaving is none."""
    statistics = Statistics()
    with pytest.raises(type(error)), statistics.failures_of(MODEL, Stages()):
        raise error
    assert statistics.of(MODEL)[0].inference_stats.fail.count == failures
