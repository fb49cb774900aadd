"""Disagreement cases: follows the traffic log, counts each trial's runs, and puts every drawn difference before people.

The counts and the cases of a stretch are written in the transaction that commits it, so each run counts once, whatever
is killed when. A trial that has ended is counted to its end and asks people nothing more.
"""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import structlog

from gateway.holding.decided import DecidedPrediction, Payloads
from gateway.holding.later import Compared, Difference, open_disagreements
from gateway.metrics import DISAGREEMENTS
from gateway.record.codec import is_shadowed
from gateway.record.entries import Position, Shadowed
from gateway.record.payloads import ObjectStore
from gateway.record.reader import Stretch
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.segments import commit_offset
from review.following import Passed, follow
from review.logged import kept_payloads, logged_prediction, release_named, whole
from review.shadow_runs import read_runs
from review.store.tallies import count_runs, open_trials

CONSUMER = "disagreements"
TOGETHER = 5000
"""Entries that are counted together: with a shadow beside every answer a commit costs more than what it commits."""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction with the drawn items about which two releases differ."""

    prediction: DecidedPrediction
    kept: Payloads
    compared: Compared


async def follow_disagreements(
    ledger: Ledger, objects: ObjectStore, traffic: Path, limit: int = TOGETHER, *, passed: Passed | None = None
) -> int:
    """Count and open everything in the log that was not read yet; how many cases are new. Raises: LedgerUnavailable."""
    use = partial(use_stretch, ledger, objects)
    return await follow(ledger, traffic, CONSUMER, use, limit, wanted=is_shadowed, passed=passed)


async def use_stretch(ledger: Ledger, objects: ObjectStore, stretch: Stretch) -> int:
    """Count a stretch's runs, open its cases and commit it, in one transaction; how many cases are new."""
    told = await asyncio.to_thread(read_runs, stretch.segment, stretch.frames)
    async with ledger.reading() as r:
        drawn = [await _disagreement(r, objects, run.entry, run.position) for run in told.drawn]
    opened = 0
    async with ledger.writing() as w:
        trials = await open_trials(w)
        for one in drawn:
            if one is not None and one.compared.trial_id in trials:
                opened += len(await open_disagreements(w, one.prediction, one.kept, one.compared))
        for trial_id, counted in told.by_trial.items():
            await count_runs(w, trial_id, counted)
        await commit_offset(w, CONSUMER, stretch.segment, stretch.end)
    DISAGREEMENTS.add("opened", by=opened)
    return opened


async def _disagreement(
    r: ReadSession, objects: ObjectStore, entry: Shadowed, position: Position
) -> Disagreement | None:
    """What is needed to open the cases of an entry; None, counted, where its payload is gone."""
    made = await _made(r, objects, await whole(entry, objects), position)
    if made is None:
        DISAGREEMENTS.add("lost", by=entry.drawn_count)
        structlog.get_logger().warning("disagreement_lost", prediction=str(entry.prediction), model=entry.model)
    return made


async def _made(r: ReadSession, objects: ObjectStore, entry: Shadowed, position: Position) -> Disagreement | None:
    if entry.decided is None or entry.trial is None:
        return None
    prediction = await logged_prediction(r, objects, entry.decided, position)
    release_id = await release_named(r, entry.tenant, entry.shadow_release)
    kept = kept_payloads(entry.decided)
    if prediction is None or release_id is None or kept is None:
        return None
    told = zip(entry.differing, entry.answers, entry.draws, strict=True)
    drawn = (Difference(item=item, answer=answer, draw=draw) for item, answer, draw in told)
    return Disagreement(
        prediction=prediction,
        kept=kept,
        compared=Compared(
            trial_id=entry.trial,
            release_id=release_id,
            probability=entry.inclusion_probability,
            differences=tuple(one for one in drawn if one.draw < entry.inclusion_probability),
        ),
    )
