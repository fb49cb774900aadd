"""What a process says of its models."""

from contextlib import nullcontext, suppress
from uuid import UUID

import pytest

from gateway.decision import Asked, Decision, Settled, SettledItem
from gateway.errors import BadRequest, LedgerUnavailable
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
        statistics.answered(prediction(items, path, release), at.times(), at.elapsed_us())
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
        statistics.answered(prediction(items), Stages().times(), 1)
    [found] = statistics.of(MODEL)
    assert (len(found.batch_stats), found.execution_count) == (BATCH_SIZES_MAX, BATCH_SIZES_MAX + 10)


@pytest.mark.parametrize(
    ("error", "settled", "successes", "failures"),
    [
        (None, True, 1, 0),
        (BadRequest(), False, 0, 1),
        (RuntimeError(), False, 0, 1),
        (LedgerUnavailable(), True, 0, 1),
        (CallerLeft(), False, 0, 0),
        (CallerLeft(), True, 1, 0),
        (None, False, 0, 0),
    ],
)
def test_a_request_is_counted_once(error: Exception | None, settled: bool, successes: int, failures: int) -> None:
    """A refusal and a fault are failures, also a hold that fails after a good run; a caller's leaving is none, and a
    reply that was told before is neither."""
    statistics = Statistics()
    with suppress(type(error)) if error is not None else nullcontext(), statistics.request(MODEL, Stages()) as counted:
        if settled:
            counted.settled(prediction())
        if error is not None:
            raise error
    stages = statistics.of(MODEL)[0].inference_stats
    assert (stages.success.count, stages.fail.count) == (successes, failures)
