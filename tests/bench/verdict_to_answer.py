"""From a verdict's commit to the waiting caller's answer: 50 callers wait in one process."""

import asyncio
from time import perf_counter

from gateway.ids import new_id
from gateway.reply import Reply
from gateway.store.ledger import Ledger
from review.desk.claim import claim_next
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from tests.bench.case import Case
from tests.bench.stand import Stand, open_stand, percentile, run

WAITING = 50
ROUNDS = 6
PATIENCE_S = 30.0
SETTLING_S = 1.0
"""What fifty openings leave behind is over after this long; the figure is about callers who wait."""


Answers = asyncio.Queue[float]


async def _answered(stand: Stand, text: str, answers: Answers) -> Reply:
    reply = await stand.pipeline.handle(stand.call(text))
    answers.put_nowait(perf_counter())
    return reply


async def _round(stand: Stand, desk: Ledger, number: int) -> list[float]:
    """Let 50 callers wait, then judge one case after another."""
    answers: Answers = asyncio.Queue()
    texts = [f"sentence {number} {each}" for each in range(WAITING)]
    callers = [asyncio.create_task(_answered(stand, text, answers)) for text in texts]
    (model,) = stand.follower.live.plan.models.values()
    while stand.holds.waiting_count(model.id) < WAITING:  # noqa: ASYNC110 - before the clock starts
        await asyncio.sleep(0.01)
    await asyncio.sleep(SETTLING_S)
    waits = []
    for _ in range(WAITING):
        async with desk.writing() as w:
            (claim,) = await claim_next(w, stand.reviewer, count=1)
        judgement = Judgement(kind="correct", answer="negative", post_key=new_id().hex)
        await post_verdict(desk, stand.reviewer, claim.id, claim.token, judgement)
        committed = perf_counter()
        async with asyncio.timeout(PATIENCE_S):
            waits.append(await answers.get() - committed)
    for reply in await asyncio.gather(*callers):
        assert reply.status == 200, reply
    return waits


async def _measure(*, apart: bool) -> float:
    async with open_stand() as stand:
        desk = Ledger.open(stand.ledger.url) if apart else stand.ledger
        try:
            waits = [wait for number in range(ROUNDS) for wait in await _round(stand, desk, number)]
        finally:
            if apart:
                await desk.close()
    return percentile(waits, 0.99) * 1000


CASES = (
    Case(
        name="verdict_to_answer_p99_ms",
        what=f"milliseconds from a verdict's commit to its caller's answer, p99, {WAITING} waiting, one process",
        better="lower",
        goal=20.0,
        measure=lambda: run(_measure(apart=False)),
    ),
    Case(
        name="verdict_to_answer_apart_p99_ms",
        what="the same with the desk on connections of its own, as another process: the file's version is the bell",
        better="lower",
        goal=None,
        measure=lambda: run(_measure(apart=True)),
    ),
)
