"""Who judges a model's cases and how long that takes, on both databases."""

from uuid import UUID

import pytest
from sqlalchemy import update

from gateway.store.schema.who import PersonRow
from gateway.times import SECOND_US
from review.desk.claim import claim_next
from review.desk.judge import post_verdict
from review.desk.ruling import Judgement
from review.store.reviewing import count_reviewers, judging_times, verdicts_needed
from tests.integration.desk.conftest import Clock, Desk
from tests.worlds import Rules, add_member, add_person, add_revision, hold


async def judge(desk: Desk, clock: Clock, seconds: float) -> None:
    """Let Ada judge the next hold, with so many seconds at work."""
    ada = desk.actor("ada")
    async with desk.ledger.writing() as w:
        await hold(w, desk.world)
    async with desk.ledger.writing() as w:
        (claim,) = await claim_next(w, ada, count=1)
    clock.now += round(seconds * SECOND_US)
    said = Judgement(kind="approve", post_key=str(claim.id), active_s=seconds)
    await post_verdict(desk.ledger, ada, claim.id, claim.token, said)


async def test_the_time_of_a_verdict_is_the_mean_of_the_latest(desk: Desk, clock: Clock) -> None:
    """Without a verdict nothing is known; then it is the mean of as many as are asked for."""
    model = desk.world.model_id
    async with desk.ledger.reading() as r:
        assert await judging_times(r, model, 10) == (0, None)
    for seconds in (50.0, 10.0, 20.0):
        await judge(desk, clock, seconds)
    async with desk.ledger.reading() as r:
        assert await judging_times(r, model, 10) == (3, pytest.approx(80 / 3))
        assert await judging_times(r, model, 2) == (2, pytest.approx(15.0))


async def test_those_are_counted_who_may_judge(desk: Desk) -> None:
    """Members with a judge's role for the model or for all count; who left, replays, or may not judge does not."""
    world = desk.world

    async def count() -> int:
        async with desk.ledger.reading() as r:
            return await count_reviewers(r, world.tenant_id, world.queue_id, world.model_id)

    everybody = len(world.people)
    assert await count() == everybody
    async with desk.ledger.writing() as w:
        for name, role, model_id in (
            ("olga", "operator", None),
            ("mia", "reviewer", world.model_id),
        ):
            person = await add_person(w, world.tenant_id, name, role, model_id=model_id)
            await add_member(w, world.queue_id, person)
        await add_person(w, world.tenant_id, "no-member", "reviewer")
    assert await count() == everybody + 1
    await change(desk, world.people["ben"], disabled_us=1)
    await change(desk, world.people["cleo"], replayed=True)
    assert await count() == everybody - 1


async def change(desk: Desk, person_id: UUID, **values: object) -> None:
    """Change a person's row."""
    async with desk.ledger.writing() as w:
        await w.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        (Rules(), 1),
        (Rules(agreement="majority", k=3, required=2), 2),
        (Rules(agreement="unanimous", k=3), 3),
    ],
)
async def test_a_case_needs_as_many_verdicts_as_its_rules_say(desk: Desk, rules: Rules, needed: int) -> None:
    """One, as many equal ones as a majority needs, or everybody's."""
    async with desk.ledger.writing() as w:
        revision = await add_revision(w, desk.world.queue_id, 2, rules)
        assert await verdicts_needed(w, revision) == needed
