"""Whether everybody was told the truth, looked up afterwards by the doors that a caller and a reviewer have."""

import asyncio

import msgspec

from demo.play.callers import HELD, OK, Told
from demo.play.notebook import BY_PEOPLE
from demo.play.product import Api
from demo.play.scene import Scene

NEWEST = 200
"""How many of one's own verdicts the desk lists at most."""
AT_ONCE = 8


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    created_us: int


async def latencies_ms(scene: Scene) -> list[float]:
    """For each caller who waited for a replayed rater: milliseconds from the verdict to the answer's arrival.

    The time of a verdict is taken before its commit, so that the commit is among them.
    """
    given_us: dict[str, int] = {}
    for seat in scene.seats:
        given_us.update(await _given_us(seat.api))
    arrived_us = {one.prediction_id: one.arrived_us for one in scene.notebook.told if one.review_status in BY_PEOPLE}
    return [
        (arrived_us[one.prediction_id] - given_us[one.verdict_id]) / 1000
        for one in scene.notebook.judged
        if one.case_kind == "hold" and one.verdict_id in given_us and one.prediction_id in arrived_us
    ]


async def count_true(scene: Scene) -> int:
    """How many holds tell at their URL, and told their callers, what people decided, or that they have not yet."""
    decided = {one.prediction_id: one.answer for one in scene.notebook.judged if one.case_kind == "hold"}
    turns = asyncio.Semaphore(AT_ONCE)

    async def tells_the_truth(one: Told) -> bool:
        async with turns:
            status, body = await scene.callers.look_up(one.prediction_id)
        return is_true(one, status, body.label, decided.get(one.prediction_id))

    return sum(await asyncio.gather(*(tells_the_truth(one) for one in scene.notebook.told if one.held)))


def is_true(told: Told, status: int, answer: str | None, decided: str | None) -> bool:
    """Whether a hold's URL and its caller were told what a person decided, or that nobody has decided yet. Pure."""
    if decided is None:
        return status == HELD
    told_so = told.answer == decided if told.review_status in BY_PEOPLE else True
    return status == OK and answer == decided and told_so


async def _given_us(api: Api) -> dict[str, int]:
    """When a rater gave the newest verdicts, by verdict."""
    verdicts = await api.get("/verdicts", list[_Verdict], limit=NEWEST)
    return {verdict.id: verdict.created_us for verdict in verdicts}
