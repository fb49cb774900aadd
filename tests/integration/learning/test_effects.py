"""What a settled answer says about champion and candidate, on both databases: run once, counted, and taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import insert, select, update

from gateway.ids import new_id
from gateway.store.events import append_event, position_events
from gateway.store.leases import read_cursor
from gateway.store.schema.learning import EffectRow
from gateway.store.schema.predictions import PayloadRow
from gateway.store.schema.serves import ReleaseMarkRow, VersionRow
from gateway.store.schema.work import CaseRow, OutcomeRow, OutcomeUndoneRow
from review.errors import UnknownCase
from review.learning.asking import Answering, answering
from review.learning.corrected import EffectTold, effect_of_case
from review.learning.effects import CONSUMER, Effects
from review.learning.errors import NoEffect
from review.learning.recipes import declare_recipe, set_trigger
from review.store.evaluations import find_release
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.recipes import LEARN, write_recipe
from tests.integration.learning.test_evaluating import DRAWN, WEIGHTS, add_candidate
from tests.integration.release.scene import operator_of
from tests.outcomes import Settled, numbers
from tests.trials import open_trial
from tests.worlds import START_US

ROWS = DRAWN.tolist()
SAYS = ["abc"[at] for at in (DRAWN @ WEIGHTS).argmax(axis=1)]
"""What the champion says of each row."""
WOULD_SAY = ["abc"[at] for at in (DRAWN @ -WEIGHTS).argmax(axis=1)]
"""What the candidate says."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """A model with people's work on it, and a worker that follows what they settle."""

    learning: Learning
    effects: Effects
    asked: Answering

    async def settle(self, *rows: int, answers: str, at_us: int = START_US, **more: object) -> list[UUID]:
        """Rows that the champion answered, settled with these answers; the ids of their cases."""
        settled = [
            Settled(inputs=numbers(ROWS[row]), answers=(answer,), said=(SAYS[row],), **more)  # type: ignore[arg-type]
            for row, answer in zip(rows, answers, strict=True)
        ]
        ids = await self.learning.settle(*settled, at_us=at_us)
        async with self.learning.ledger.reading() as r:
            found = {row[0]: row[1] for row in await r.execute(select(CaseRow.prediction_id, CaseRow.id))}
        cases = [found[UUID(each)] for each in ids]
        for case_id in cases:
            await self.tell("case.settled", f"case:{case_id}")
        return cases

    async def tell(self, type_: str, subject: str, **data: object) -> None:
        """An event with its position."""
        async with self.learning.ledger.writing() as w:
            tenant_id = self.learning.scene.tenant_id
            await append_event(w, type_, subject, data, by="person:ada@example.org", tenant_id=tenant_id, at_us=1)
            await position_events(w)

    async def follow(self) -> int:
        """What the worker does when the bell rings."""
        return await self.effects.catch_up(self.asked)

    async def told(self, case_id: UUID) -> EffectTold:
        """What a case changed."""
        async with self.learning.ledger.reading() as r:
            return await effect_of_case(r, self.learning.scene.tenant_id, case_id)

    async def undo(self, case_id: UUID) -> None:
        """The outcome of a case is undone, and the case open again."""
        async with self.learning.ledger.writing() as w:
            row = (await w.execute(select(OutcomeRow).where(OutcomeRow.case_id == case_id))).scalar_one()
            key = {name: getattr(row, name) for name in ("prediction_id", "item", "revision")}
            why = {"by": "person:ada@example.org", "why": "mistaken", "released": True, "undone_us": START_US}
            await w.execute(insert(OutcomeUndoneRow).values(**key, **why))
            await w.execute(update(CaseRow).where(CaseRow.id == case_id).values(state="open", round=2))
        await self.tell("case.undone", f"case:{case_id}")

    async def learn(self, case_id: UUID, answer: str) -> UUID:
        """A service learned by itself what is right about the item of a case; the id of its prediction."""
        async with self.learning.ledger.writing() as w:
            outcome = (await w.execute(select(OutcomeRow).where(OutcomeRow.case_id == case_id))).scalar_one()
            kept = ("prediction_id", "item", "release_after_us", "created_us")
            values = {name: getattr(outcome, name) for name in kept}
            truth = {"revision": 2, "case_id": None, "round": None, "source": "truth:returns", "status": "answered"}
            said = {"answer": msgspec.json.encode(answer).decode(), "differs": True, "supersedes": 1}
            await w.execute(insert(OutcomeRow).values(**values, **truth, **said))
            return outcome.prediction_id


@pytest.fixture
async def desk(learning: Learning) -> AsyncIterator[Desk]:
    """The model with a newer release beside its champion."""
    await add_candidate(learning)
    async with worker(learning) as opened:
        yield opened


@asynccontextmanager
async def worker(learning: Learning) -> AsyncIterator[Desk]:
    """A worker that knows nothing but the ledger."""
    effects = Effects(learning.ledger, learning.objects, learning.scene.artifacts.directory.root)
    async with answering() as asked:
        yield Desk(learning=learning, effects=effects, asked=asked)


async def test_both_releases_are_measured_on_a_correction(desk: Desk) -> None:
    """The answers of champion and candidate to this very input, and how often each was right since the first one."""
    row = next(at for at in range(len(ROWS)) if SAYS[at] != WOULD_SAY[at])
    (case_id,) = await desk.settle(row, answers=WOULD_SAY[row])
    with pytest.raises(NoEffect):
        await desk.told(case_id)
    assert await desk.follow() == 1
    told = await desk.told(case_id)
    effect = told.effect
    assert effect.champion is not None
    assert effect.candidate is not None
    assert (effect.served.answer, effect.answer, effect.corrected) == (SAYS[row], WOULD_SAY[row], True)
    assert (effect.champion.release, effect.champion.answer, effect.champion.right) == (f"{MODEL}@1", SAYS[row], False)
    assert (effect.candidate.release, effect.candidate.right) == (f"{MODEL}@2", True)
    assert (effect.corrections.n, effect.approvals.n, effect.dataset) == (1, 0, None)
    assert told.about_item[1] == f"{MODEL}@2 would have said {WOULD_SAY[row]}: right."


async def test_the_next_training_is_told_where_it_comes_by_itself(desk: Desk, tmp_path: Path) -> None:
    """How many more corrections it takes, once a trigger is set."""
    learning, recipes = desk.learning, tmp_path / "recipes"
    (case_id,) = await desk.settle(0, answers=WOULD_SAY[0])
    await desk.follow()
    assert (await desk.told(case_id)).effect.until_training is None
    write_recipe(recipes, "learn", LEARN)
    operator = operator_of(learning.scene.tenant_id)
    await declare_recipe(learning.ledger, recipes, operator, MODEL, "learn")
    await set_trigger(learning.ledger, recipes, operator, MODEL, 5)
    assert (await desk.told(case_id)).about_period[-1] == "4 more corrections, and it is retrained by itself."


async def test_the_counts_are_those_of_a_run_over_everything(desk: Desk) -> None:
    """Corrections and approvals since the dataset are counted as a run of both releases over all of them gives."""
    old = await desk.settle(*range(20), answers="".join(SAYS[:20]))
    frozen = await desk.learning.freeze()
    async with desk.learning.ledger.reading() as r:
        later = await r.now_us() + 1
    rows = range(20, 60)
    answers = ["abc"[row % 3] for row in rows]
    cases = await desk.settle(*rows, answers="".join(answers), at_us=later)
    assert await desk.follow() == len(old) + len(cases)
    effect = (await desk.told(cases[0])).effect
    corrected = [row for row, answer in zip(rows, answers, strict=True) if SAYS[row] != answer]
    stood = [row for row in rows if row not in corrected]
    assert (effect.dataset, effect.corrections.n, effect.approvals.n) == (frozen.dataset, len(corrected), len(stood))
    assert effect.corrections.champion is not None
    assert effect.corrections.candidate is not None
    assert effect.approvals.candidate is not None
    assert effect.corrections.champion.value == 0
    hits = [sum(WOULD_SAY[row] == "abc"[row % 3] for row in part) for part in (corrected, stood)]
    assert effect.corrections.candidate.value == hits[0] / len(corrected)
    assert effect.approvals.candidate.value == hits[1] / len(stood)
    assert effect.approvals.candidate.high > 0.1


async def test_an_effect_follows_the_truth(desk: Desk) -> None:
    """An undone outcome takes its part back, and a ground truth takes the place of what one reviewer said."""
    row = next(at for at in range(len(ROWS)) if SAYS[at] != WOULD_SAY[at])
    undone, kept = await desk.settle(0, row, answers=WOULD_SAY[0] + SAYS[row])
    await desk.follow()
    before = (await desk.told(kept)).effect
    await desk.undo(undone)
    assert await desk.follow() == 1
    with pytest.raises(NoEffect):
        await desk.told(undone)
    after = (await desk.told(kept)).effect
    assert [each.corrections.n + each.approvals.n for each in (before, after)] == [2, 1]
    prediction = await desk.learn(kept, WOULD_SAY[row])
    await desk.tell("outcome.recorded", f"prediction:{prediction}", item=1)
    assert await desk.follow() == 1
    with pytest.raises(NoEffect):
        await desk.told(kept)
    async with desk.learning.ledger.reading() as r:
        found = (await r.execute(select(EffectRow))).scalar_one()
    assert (found.outcome_revision, found.corrected, found.champion_right, found.candidate_right) == (
        2, True, False, True,
    )  # fmt: skip


async def test_what_was_committed_is_not_done_again(desk: Desk) -> None:
    """A worker that comes after another goes on at its position; an item done again, by another child, is the same."""
    (case_id,) = await desk.settle(3, answers=WOULD_SAY[3])
    await desk.follow()
    first = await desk.told(case_id)
    async with worker(desk.learning) as later:
        assert await later.follow() == 0
        async with desk.learning.ledger.reading() as r:
            assert await read_cursor(r, CONSUMER) > 0
        await desk.tell("case.settled", f"case:{case_id}")
        assert await later.follow() == 1
        assert await later.told(case_id) == first
        await later.asked.end()
        await desk.tell("case.settled", f"case:{case_id}")
        assert await later.follow() == 1
        assert await later.told(case_id) == first
    assert await desk.learning.scene.count(EffectRow) == 1


async def test_which_release_is_compared_with_the_champion(desk: Desk) -> None:
    """The one on trial, or else the newest one of another version that is newer and not withdrawn; or none, and
    one that cannot be run is as none."""
    learning = desk.learning
    async with learning.ledger.writing() as w:
        found = await find_release(w, learning.scene.tenant_id, f"{MODEL}@2")
        assert found is not None
        candidate, model = found
        mark = {"mark": "withdrawn", "by": "x", "why": "worse", "created_us": 1}
        await w.execute(insert(ReleaseMarkRow).values(release_id=candidate, **mark))
    (alone,) = await desk.settle(0, answers=WOULD_SAY[0])
    await desk.follow()
    told = await desk.told(alone)
    assert told.effect.candidate is None
    assert "no newer release" in told.about_period[-1]
    async with learning.ledger.writing() as w:
        await open_trial(w, model.id, candidate)
        artifact = (await w.execute(select(VersionRow.artifact).where(VersionRow.number == 2))).scalar_one()
    (on_trial,) = await desk.settle(1, answers=WOULD_SAY[1])
    await desk.follow()
    effect = (await desk.told(on_trial)).effect
    assert effect.candidate is not None
    assert (effect.candidate.release, effect.corrections.n + effect.approvals.n) == (f"{MODEL}@2", 1)
    await learning.scene.artifacts.delete(artifact or "")
    (last,) = await desk.settle(2, answers=WOULD_SAY[2])
    async with worker(learning) as fresh:
        assert await fresh.follow() == 1
    effect = (await desk.told(last)).effect
    assert effect.champion is not None
    assert (effect.candidate, effect.corrections.n + effect.approvals.n) == (None, 2)


async def test_what_says_nothing_has_no_effect(desk: Desk) -> None:
    """A disagreement, and an input that was erased: no row, and the worker goes on."""
    (chosen,) = await desk.settle(0, answers=WOULD_SAY[0], kind="disagreement")
    (erased,) = await desk.settle(1, answers=WOULD_SAY[1])
    async with desk.learning.ledger.writing() as w:
        last = select(PayloadRow.id).order_by(PayloadRow.id.desc()).limit(1)
        await w.execute(update(PayloadRow).where(PayloadRow.id == last.scalar_subquery()).values(erased_us=1))
    (plain,) = await desk.settle(2, answers=WOULD_SAY[2])
    assert await desk.follow() == 3
    for case_id in (chosen, erased):
        with pytest.raises(NoEffect):
            await desk.told(case_id)
    assert (await desk.told(plain)).effect.champion is not None
    with pytest.raises(UnknownCase):
        await desk.told(new_id())
