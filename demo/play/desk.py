"""Replayed raters at the desk: each claims a sentence as any reviewer's program may, and says what a person once said.

They judge what they read and nothing else: the sentence comes from the case, the class from one person's rating of it.
A sentence that nobody rated is given back and left to others.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import msgspec

from demo.errors import Refused, ServerAway
from demo.play.notebook import Judgement, Notebook
from demo.play.product import Api
from demo.raters import ReplayedRaters

LOOK_AGAIN_S = 0.25
TAKEN = (403, 409)
"""Somebody else was faster, or the claim had ended."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a rater reads: a time between the two, evenly."""

    least_s: float
    most_s: float


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A case in line."""

    id: str
    prediction_id: str
    kind: str


class CaseList(msgspec.Struct, frozen=True, kw_only=True):
    """The head of the line."""

    cases: list[Listed]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to judge a case."""

    id: str
    token: int


class ShownInput(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk shows of a case."""

    text: str = ""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The two answers of a disagreement, without the names of those who gave them."""

    answers: tuple[str, str]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a verdict."""

    verdict_id: str
    kind: str
    state: str
    outcome_revision: int | None = None


class Seat:
    """One replayed rater at the desk, for as long as the play goes on."""

    def __init__(self, api: Api, number: int, raters: ReplayedRaters, notebook: Notebook) -> None:
        self.api = api
        self._number = number
        self._raters = raters
        self._notebook = notebook
        self._random = Random(number)  # noqa: S311 - for how long somebody reads

    async def work(self, queue: str, pace: Pace, told_to_end: asyncio.Event) -> None:
        """Judge what is in line until told to end; the case in hand is judged first."""
        while not told_to_end.is_set():
            if not await self._judge_next(queue, pace):
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _judge_next(self, queue: str, pace: Pace) -> bool:
        """Whether a case was judged."""
        try:
            case = await self._next(queue)
            return case is not None and await self._take(case, pace)
        except ServerAway:
            return False

    async def _next(self, queue: str) -> Listed | None:
        """A case that nobody has: the raters begin at different places, so that they seldom want the same one."""
        line = await self.api.get("/cases", CaseList, queue=queue, state="open", limit=10)
        left = [case for case in line.cases if case.id not in self._notebook.unrated]
        return left[self._number % len(left)] if left else None

    async def _take(self, case: Listed, pace: Pace) -> bool:
        """Whether the case was judged, and not by somebody faster."""
        try:
            claim = await self.api.post(f"/cases/{case.id}/claim", {}, Claim)
            return await self._judge(case, claim, pace)
        except Refused as refused:
            if refused.status in TAKEN:
                return False
            raise

    async def _judge(self, case: Listed, claim: Claim, pace: Pace) -> bool:
        (shown, *_) = await self.api.get(f"/cases/{case.id}/input", list[ShownInput])
        rating = self._raters.next_rating(shown.text)
        if rating is None:
            self._notebook.unrated.add(case.id)
            await self.api.post(f"/claims/{claim.id}/return", {}, msgspec.Raw)
            return False
        read_s = self._random.uniform(pace.least_s, pace.most_s)
        await asyncio.sleep(read_s)
        said = {
            **await self._says(case, rating.label),
            "active_s": read_s,
            "token": claim.token,
            "post_key": str(uuid.uuid4()),
        }
        judged = await self.api.post(f"/claims/{claim.id}/verdict", said, Judged)
        self._notebook.judged.append(
            Judgement(
                verdict_id=judged.verdict_id,
                prediction_id=case.prediction_id,
                case_kind=case.kind,
                kind=judged.kind,
                answer=rating.label,
                settled=judged.outcome_revision is not None,
            )
        )
        return True

    async def _says(self, case: Listed, label: str) -> dict[str, str]:
        """The judgement that comes to this class, of one answer or of two unnamed ones."""
        if case.kind != "disagreement":
            return {
                "kind": "correct",
                "answer": label,
            }  # the desk makes an approval of it where the model said the same
        first, second = (await self.api.get(f"/cases/{case.id}", Pair)).answers
        if label in (first, second):
            return {"kind": "first" if label == first else "second"}
        return {"kind": "neither", "answer": label}


@asynccontextmanager
async def at_work(seats: Sequence[Seat], queue: str, pace: Pace) -> AsyncIterator[None]:
    """All of them at work; at the end of the block they finish what they have in hand."""
    told_to_end = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for seat in seats:
            group.create_task(seat.work(queue, pace, told_to_end))
        yield
        told_to_end.set()
