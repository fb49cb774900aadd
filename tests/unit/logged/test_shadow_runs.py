"""What is counted of shadow runs is what their entries say, however these were written."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from gateway.ids import new_id
from gateway.record.codec import decode, encode, fold
from gateway.record.entries import Shadowed
from gateway.record.frames import Frame
from review.shadow_runs import read_runs
from review.store.tallies import Runs
from tests.unit.record.all_kinds import ALL_KINDS
from tests.unit.record.casts import MODEL, beside
from tests.unit.record.samples import shadowed

assert MODEL.trial is not None
TRIAL = MODEL.trial.id
OTHER = UUID(int=77)
GENERAL = replace(shadowed(new_id()), trial=OTHER, inclusion_probability=0.5)
LARGE = replace(GENERAL, differing=tuple(range(1, 2000)), item_count=3000, draws=(0.6,) * 1999)
DIFFERING: dict[str, Any] = {"differing": (1, 2), "answers": ("negative", None)}
RUNS: dict[str, tuple[bytes, Runs, bool]] = {
    "answered the same": (beside(), Runs(compared=2), False),
    "differs, drawn": (beside(**DIFFERING, draws=(0.4, 0.9)), Runs(compared=2, disagreements=2), True),
    "dropped": (beside(status="dropped", reason="full", item_count=2), Runs(missing=1), False),
    "timed out": (beside(status="timed_out", item_count=2), Runs(missing=1), False),
}
OTHERS: dict[str, tuple[bytes, Runs, bool]] = {
    "differs, not drawn": (encode(replace(GENERAL, draws=(0.5,))), Runs(compared=1, disagreements=1), False),
    "the second is drawn": (
        encode(replace(GENERAL, differing=(1, 2), item_count=2, draws=(0.9, 0.4))),
        Runs(compared=2, disagreements=2), True,
    ),
    "folded": (encode(fold(LARGE, encode(LARGE))), Runs(compared=3000, disagreements=1999), False),
    "failed": (encode(replace(GENERAL, status="failed", differing=())), Runs(missing=1), False),
}  # fmt: skip


def frames(entries: list[bytes]) -> list[Frame]:
    """Them as they would lie in a segment."""
    return [Frame(100 * place, 100 * place + 99, data) for place, data in enumerate(entries)]


@pytest.mark.parametrize(("data", "runs", "drawn"), [*RUNS.values(), *OTHERS.values()], ids=[*RUNS, *OTHERS])
def test_a_run_is_counted_by_what_it_came_to(data: bytes, runs: Runs, *, drawn: bool) -> None:
    """Items that were compared and that differ, runs without an answer, and whether people are asked."""
    told = read_runs("segment", frames([data]))
    assert list(told.by_trial.values()) == [runs]
    assert [found.entry for found in told.drawn] == [decode(data)] * drawn


def test_runs_of_several_trials_are_told_apart() -> None:
    """In whatever order they stand, among entries of all kinds; what was drawn is told by its place."""
    chosen = random.Random(4).choices([*RUNS.values(), *OTHERS.values()], k=200)
    entries = [data for each in chosen for data in (each[0], *ALL_KINDS.values())]
    told = read_runs("segment", frames(entries))
    expected = {TRIAL: Counter[str](), OTHER: Counter[str]()}
    for data in entries:
        entry = decode(data)
        if isinstance(entry, Shadowed) and entry.trial is not None:
            answered = entry.status == "answered"
            expected[entry.trial]["compared"] += entry.item_count if answered else 0
            expected[entry.trial]["disagreements"] += entry.differing_count
            expected[entry.trial]["missing"] += not answered
    assert told.by_trial == {trial: Runs(**counted) for trial, counted in expected.items()}
    drawn = [place for place, data in enumerate(entries) if getattr(decode(data), "drawn_count", 0)]
    assert [found.position.offset for found in told.drawn] == [100 * place for place in drawn]
