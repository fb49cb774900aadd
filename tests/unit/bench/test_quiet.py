"""A load that other machines disturbed is measured again, and the least disturbed one counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import quiet
from tests.bench.quiet import Disturbance, undisturbed


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[list[int]], Callable[[], int]]:
    """What makes a load during whose n-th run the second processor loses so many ticks of a second to others."""
    stat = tmp_path / "stat"
    monkeypatch.setattr(quiet, "STAT", stat)
    monkeypatch.setattr(quiet, "SEEN", Disturbance())
    monkeypatch.setattr(quiet, "sleep", lambda _seconds: None)
    seconds = iter(range(1000))
    monkeypatch.setattr(quiet, "monotonic", lambda: float(next(seconds)))

    def stolen(ticks: int) -> None:
        stat.write_text(
            f"cpu 0 0 0 0 0 0 0 {ticks}\ncpu0 9 0 0 9 0 0 0 3 0 0\ncpu1 9 0 0 9 0 0 0 {ticks} 0 0\nintr 1\n"
        )

    def load(lost: list[int]) -> Callable[[], int]:
        runs, total = iter(enumerate(lost)), 0
        stolen(0)

        def run() -> int:
            nonlocal total
            number, ticks = next(runs)
            total += ticks
            stolen(total)
            return number

        return run

    return load


@pytest.mark.parametrize(
    ("lost", "counts", "told"),
    [
        ([0], 0, "1 loads, 0 repeats, 0 still disturbed"),
        ([50, 1], 1, "1 loads, 1 repeats, 0 still disturbed"),
        ([9, 8, 50, 60], 1, "1 loads, 3 repeats, 1 still disturbed"),
    ],
)
def test_the_first_load_that_had_its_processors_counts_or_the_least_disturbed(
    loads: Callable[[list[int]], Callable[[], int]], lost: list[int], counts: int, told: str
) -> None:
    """After some tries it is told that even the best was disturbed."""
    assert undisturbed(loads(lost)) == counts
    assert quiet.SEEN.told() == told


def test_patience_ends(loads: Callable[[list[int]], Callable[[], int]]) -> None:
    """A whole run takes no longer than it is given, however busy the machine is."""
    quiet.SEEN.left_s = 0.0
    assert undisturbed(loads([50])) == 0
    assert quiet.SEEN.told() == "1 loads, 0 repeats, 1 still disturbed"


def test_where_the_system_does_not_tell_nothing_is_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not every system counts what is stolen."""
    monkeypatch.setattr(quiet, "STAT", tmp_path / "none")
    monkeypatch.setattr(quiet, "SEEN", Disturbance())
    assert undisturbed(lambda: 7) == 7
    assert quiet.SEEN.told() == "not known"
