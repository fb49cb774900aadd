"""Requests that meet are run together, and each is answered as if it had been alone."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from gateway.errors import GatewayError
from gateway.inference.batching import Batcher
from gateway.inference.errors import ModelFailed, TooManyWait
from gateway.inference.samples import sample_feeds
from gateway.inference.session import INLINE_MAX_US, Cost, OnnxSession
from gateway.registry.card import BatchBounds
from tests import models

ADA, BEN = UUID(int=1), UUID(int=2)
SHORT = Cost(first_us=20, further_us=1)
LONG = Cost(first_us=INLINE_MAX_US * 10, further_us=1)
TOO_FAR = models.STUCK_ABOVE * 10


class Watched(OnnxSession):
    """A session that notes its runs, and that can be told to wait before it begins one."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.threads: list[threading.Thread] = []
        self.rows: list[int] = []
        self.may_run = threading.Event()
        self.may_run.set()

    def run(self, feeds: Any, *more: Any) -> dict[str, np.ndarray]:
        """Run, and note the thread and the number of rows."""
        self.threads.append(threading.current_thread())
        self.rows.append(len(next(iter(feeds.values()))))
        assert self.may_run.wait(30)
        return super().run(feeds, *more)


def opened(model: bytes, cost: Cost | None = None) -> Watched:
    """The model, warm, or of the cost that is given."""
    session = Watched.open(model)
    if cost is None:
        session.warm_up()
    else:
        session.cost = cost
    session.threads.clear()
    session.rows.clear()
    return session


def batcher(session: Watched, *, joins: bool = True, **bounds: Any) -> Batcher:
    return Batcher(session, BatchBounds(**bounds), joins=joins, model="numbers")


def rows(count: int, first: float = 0.0, width: int = 4) -> dict[str, np.ndarray]:
    """A request of some rows of numbers."""
    return {"x": np.arange(first, first + count * width, dtype=np.float32).reshape(count, width) / 100}


def ask(runner: Batcher, feeds: dict[str, np.ndarray], caller: UUID = ADA) -> "asyncio.Task[dict[str, np.ndarray]]":
    return asyncio.create_task(runner.infer(feeds, items=len(feeds["x"]), caller=caller))


async def all_of(asked: Sequence["asyncio.Task[dict[str, np.ndarray]]"]) -> list[Any]:
    """The outputs, or the errors."""
    return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)


async def gathered(runner: Batcher, asked: int) -> None:
    """Return once so many requests stand in line."""
    for _ in range(asked):
        if runner._line.requests < asked:
            await asyncio.sleep(0)
    assert runner._line.requests == asked


def same_as_alone(session: OnnxSession, feeds: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> bool:
    alone = OnnxSession.run(session, feeds)
    return all(np.allclose(alone[name], outputs[name], rtol=1e-5, atol=1e-6) for name in alone)


async def threads_of(session: Watched, items: int = 1, times: int = 1) -> set[threading.Thread]:
    """The threads in which the session answers."""
    session.threads.clear()
    for _ in range(times):
        feeds = sample_feeds(session.signature, items=1)
        await batcher(session).infer(feeds, items=items, caller=ADA)
    return set(session.threads)


async def test_a_small_model_runs_on_the_loop() -> None:
    """A short run is done by the thread of the loop."""
    session = opened(models.softmax())
    assert session.cost.of(1) < INLINE_MAX_US
    assert await threads_of(session) == {threading.current_thread()}


async def test_a_large_model_runs_in_its_own_thread() -> None:
    """A long run leaves the loop free and always uses the same single thread."""
    session = opened(models.heavy(512, 200))
    assert session.cost.of(1) > INLINE_MAX_US
    [thread] = await threads_of(session, times=3)
    assert thread is not threading.current_thread()


async def test_many_items_make_a_small_model_large() -> None:
    """The number of items counts: the same model runs a long batch in its thread."""
    session = opened(models.softmax(), SHORT)
    assert await threads_of(session, items=10) == {threading.current_thread()}
    assert threading.current_thread() not in await threads_of(session, items=1000)


async def test_what_comes_in_one_turn_of_the_loop_is_one_run() -> None:
    """Requests of different sizes get their own rows, as each would alone."""
    session = opened(models.softmax(), SHORT)
    runner = batcher(session)
    asked = [rows(1 + number % 3, number) for number in range(12)]
    answers = await all_of([ask(runner, feeds) for feeds in asked])
    assert session.rows == [sum(len(feeds["x"]) for feeds in asked)]
    assert all(map(same_as_alone, [session] * 12, asked, answers))


@pytest.mark.parametrize(
    ("cost", "joins", "bounds"),
    [
        (SHORT, False, {}),
        (SHORT, True, {"join": False}),
        (Cost(first_us=20, further_us=19), True, {}),
    ],
    ids=["admission saw rows mixed", "the card forbids it", "the machine gains nothing"],
)
async def test_requests_are_not_joined(cost: Cost, joins: bool, bounds: dict[str, Any]) -> None:
    """Each request has a run of its own."""
    session = opened(models.softmax(), cost)
    runner = batcher(session, joins=joins, **bounds)
    await all_of([ask(runner, rows(1, number)) for number in range(4)])
    assert session.rows == [1] * 4


async def test_a_turn_of_the_loop_is_not_held_up_longer_than_a_short_run_takes() -> None:
    """What would make a run long is left for the next turn."""
    session = opened(models.softmax(), Cost(first_us=100, further_us=50))
    runner = batcher(session)
    await all_of([ask(runner, rows(1, number)) for number in range(12)])
    assert session.rows == [5, 5, 2]


async def test_what_comes_while_the_thread_is_busy_is_the_next_run() -> None:
    """The first request begins at once and alone; nobody waited for company."""
    session = opened(models.softmax(), LONG)
    session.may_run.clear()
    runner = batcher(session)
    asked = [rows(1, number) for number in range(6)]
    tasks = [ask(runner, feeds) for feeds in asked]
    await gathered(runner, 5)
    session.may_run.set()
    answers = await all_of(tasks)
    assert session.rows == [1, 5]
    assert all(map(same_as_alone, [session] * 6, asked, answers))


async def test_shapes_that_differ_are_not_joined() -> None:
    """Each width has a run of its own."""
    session = opened(models.identity("FP32", ("n", "k")), LONG)
    session.may_run.clear()
    runner = batcher(session)
    tasks = [ask(runner, rows(1, width=width)) for width in (4, 4, 5, 4, 5)]
    await gathered(runner, 4)
    session.may_run.set()
    answers = await all_of(tasks)
    assert session.rows == [1, 2, 2]
    assert [answer["y"].shape for answer in answers] == [(1, width) for width in (4, 4, 5, 4, 5)]


@pytest.mark.parametrize("cost", [SHORT, LONG], ids=["on the loop", "in the thread"])
async def test_a_request_that_fails_leaves_its_neighbours_untouched(cost: Cost) -> None:
    """The run fails for all; then each has one of its own, and only the one at fault is told so."""
    session = opened(models.fragile(), cost)
    session.may_run.clear()
    runner = batcher(session)
    asked = [rows(1, number) for number in range(3)] + [{"x": np.full((1, 4), TOO_FAR, np.float32)}, rows(2)]
    session.may_run.set() if cost is SHORT else None
    tasks = [ask(runner, feeds) for feeds in asked]
    if cost is LONG:
        await gathered(runner, 4)
        session.may_run.set()
    answers = await all_of(tasks)
    assert isinstance(answers.pop(3), GatewayError)
    del asked[3]
    assert all(map(same_as_alone, [session] * 4, asked, answers))


@pytest.mark.parametrize("cost", [SHORT, LONG], ids=["on the loop", "in the thread"])
async def test_a_request_that_is_cancelled_leaves_its_neighbours_untouched(cost: Cost) -> None:
    """Who leaves is not run any more, and the others get their own rows."""
    session = opened(models.softmax(), cost)
    runner = batcher(session)
    asked = [rows(1, number) for number in range(4)]
    if cost is LONG:
        session.may_run.clear()
    tasks = [ask(runner, feeds) for feeds in asked]
    await asyncio.sleep(0)
    tasks.pop(2).cancel()
    del asked[2]
    session.may_run.set()
    answers = await all_of(tasks)
    assert sum(session.rows) == 3
    assert all(map(same_as_alone, [session] * 3, asked, answers))


async def test_a_caller_who_leaves_amid_a_run_does_not_disturb_the_next() -> None:
    """A run that nobody waits for any more ends by itself, and the model answers on."""
    session = opened(models.softmax(), LONG)
    session.may_run.clear()
    runner = batcher(session)
    leaving = ask(runner, rows(1))
    await asyncio.sleep(0)
    leaving.cancel()
    following = ask(runner, rows(2))
    session.may_run.set()
    [left, answer] = await all_of([leaving, following])
    assert isinstance(left, asyncio.CancelledError)
    assert same_as_alone(session, rows(2), answer)


async def test_a_model_found_to_mix_rows_is_not_asked_again_like_this() -> None:
    """Outputs without one row an item are thrown away; each request is run alone, then and ever after."""
    session = opened(models.add_total(), SHORT)
    runner = batcher(session)
    for _ in range(2):
        answers = await all_of([ask(runner, rows(1, number)) for number in range(3)])
        assert all(map(same_as_alone, [session] * 3, [rows(1, number) for number in range(3)], answers))
    assert session.rows == [3, 1, 1, 1, 1, 1, 1]


async def test_a_caller_who_sends_much_does_not_make_others_wait() -> None:
    """One request beside fifty of another caller is answered with the second run, not the fiftieth."""
    session = opened(models.softmax(), LONG)
    session.may_run.clear()
    runner = batcher(session, joins=False)
    flood = [ask(runner, rows(1, number)) for number in range(50)]
    await gathered(runner, 49)
    single = ask(runner, rows(1), BEN)
    await gathered(runner, 50)
    session.may_run.set()
    await asyncio.wait_for(single, 30)
    assert sum(task.done() for task in flood) <= 5
    await all_of(flood)


async def test_a_hot_model_on_the_loop_does_not_make_another_wait() -> None:
    """A thousand requests for one model share the loop with a single one for another, which is soon answered."""
    cost = Cost(first_us=100, further_us=50)
    hot, calm = opened(models.softmax(), cost), opened(models.softmax(), cost)
    hot_runner, calm_runner = batcher(hot), batcher(calm)
    flood = [ask(hot_runner, rows(1, number)) for number in range(1000)]
    single = ask(calm_runner, rows(1), BEN)
    assert same_as_alone(calm, rows(1), await asyncio.wait_for(single, 30))
    assert sum(task.done() for task in flood) <= 20
    assert all(isinstance(answer, dict) for answer in await all_of(flood))


async def test_a_hot_model_in_its_thread_does_not_make_another_wait() -> None:
    """While one model is busy and its line is full, another runs at once, on the loop or in a thread of its own."""
    hot, calm = opened(models.softmax(), LONG), opened(models.softmax(), LONG)
    quick = opened(models.softmax(), SHORT)
    hot.may_run.clear()
    runner = batcher(hot, max_waiting=4)
    flood = [ask(runner, rows(1, number)) for number in range(5)]
    await gathered(runner, 4)
    with pytest.raises(TooManyWait):
        runner.refuse_early(ADA)
    for session in (calm, quick):
        answer = await asyncio.wait_for(ask(batcher(session), rows(1)), 30)
        assert same_as_alone(session, rows(1), answer)
    assert not any(task.done() for task in flood)
    hot.may_run.set()
    assert all(isinstance(answer, dict) for answer in await all_of(flood))


@pytest.mark.parametrize("cost", [SHORT, LONG], ids=["on the loop", "in the thread"])
async def test_releases_of_the_same_file_are_not_joined(cost: Cost) -> None:
    """Two releases share a session, and each request is run with those for its own release only."""
    session = opened(models.softmax(), cost)
    one, other = batcher(session), batcher(session)
    session.may_run.clear()
    asked = [rows(1, number) for number in range(6)]
    if cost is SHORT:
        session.may_run.set()
    tasks = [ask((one, other)[number % 2], feeds) for number, feeds in enumerate(asked)]
    if cost is LONG:
        await gathered(one, 2)
        await gathered(other, 2)
        session.may_run.set()
    answers = await all_of(tasks)
    assert sorted(session.rows) == ([3, 3] if cost is SHORT else [1, 1, 2, 2])
    assert all(map(same_as_alone, [session] * 6, asked, answers))


async def test_an_answer_together_is_the_answer_alone_within_the_declared_tolerance() -> None:
    """However many others it is run with, numbers differ by less than the 0.1 % that admission allows."""
    session = opened(models.network(64, 128, 10), SHORT)
    random = np.random.default_rng(0)
    asked = [{"x": random.standard_normal((1 + count % 4, 64)).astype(np.float32)} for count in range(20)]
    answers = await all_of([ask(batcher_of, feeds) for batcher_of in [batcher(session)] for feeds in asked])
    assert max(session.rows) > 4
    for feeds, answer in zip(asked, answers, strict=True):
        alone = OnnxSession.run(session, feeds)["probabilities"]
        assert np.allclose(alone, answer["probabilities"], rtol=1e-3, atol=1e-4)


async def test_the_line_is_bounded_and_says_when_to_come_again() -> None:
    """Beyond its share a caller is refused at once; another caller still has a place."""
    session = opened(models.softmax(), Cost(first_us=1e6, further_us=1e6))
    session.may_run.clear()
    runner = batcher(session, max_waiting=4)
    tasks = [ask(runner, rows(1, number)) for number in range(5)]
    await gathered(runner, 4)
    with pytest.raises(TooManyWait) as refused:
        await runner.infer(rows(1), items=1, caller=ADA)
    assert refused.value.retry_after_s == 4
    with pytest.raises(TooManyWait):
        runner.refuse_early(ADA)
    tasks.append(ask(runner, rows(1), BEN))
    await gathered(runner, 5)
    session.may_run.set()
    assert all(isinstance(answer, dict) for answer in await all_of(tasks))
    runner.refuse_early(ADA)


async def test_bytes_in_line_are_bounded() -> None:
    """Large tensors fill the line before their number does."""
    session = opened(models.softmax(), LONG)
    session.may_run.clear()
    runner = batcher(session, max_waiting_bytes=100)
    tasks = [ask(runner, rows(2, number)) for number in range(5)]
    await gathered(runner, 4)
    with pytest.raises(TooManyWait):
        await runner.infer(rows(1), items=1, caller=BEN)
    session.may_run.set()
    await all_of(tasks)


async def test_a_run_that_ends_as_no_run_should_is_the_models_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised in the thread, those who wait are told, and the next run begins."""
    session = opened(models.softmax(), LONG)
    runner = batcher(session)
    monkeypatch.setattr(session, "run", lambda *_: 1 // 0)
    [failed] = await all_of([ask(runner, rows(1))])
    assert isinstance(failed, ModelFailed)
    monkeypatch.undo()
    [answer] = await all_of([ask(runner, rows(1))])
    assert same_as_alone(session, rows(1), answer)
