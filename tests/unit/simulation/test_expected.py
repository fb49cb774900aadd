"""Errors that go out and errors that are caught, from outcomes that are known already."""

import random
from typing import Any

import pytest

from review.simulation.expected import expected_of
from review.simulation.tally import Known


def known(*items: tuple[bool, float]) -> Known:
    """Items with an outcome: whether they were wrong, and their weight."""
    found = Known()
    for wrong, weight in items:
        found.add(wrong, weight)
    return found


TABLE: list[tuple[str, dict[Any, int], dict[Any, Known], tuple[float | None, float], tuple[float | None, float]]] = [
    (
        "all held now, all let through then, one of four was wrong",
        {("held", True, False): 100},
        {("held", True, False): known((True, 1), (False, 1), (False, 1), (False, 1))},
        (25.0, 0.0),
        (None, 0.0),
    ),
    (
        "audits count by their weight",
        {("audited", False, False): 1000},
        {("audited", False, False): known((True, 50), (False, 100), (False, 50))},
        (250.0, 0.0),
        (None, 0.0),
    ),
    (
        "let through now and held then, without a single audit",
        {("audited", False, True): 40},
        {},
        (None, 0.0),
        (None, 40.0),
    ),
    (
        "a part of which nothing is known is no part of the number",
        {("held", True, False): 10, ("audited", False, False): 90},
        {("held", True, False): known((True, 1))},
        (10.0, 90.0),
        (None, 0.0),
    ),
]


@pytest.mark.parametrize(("items", "outcomes", "through", "caught"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
def test_errors_are_estimated_in_the_domain_that_they_are_about(items, outcomes, through, caught) -> None:
    """Each row gives the errors let through and caught then, and of how many items nothing is known."""
    found = expected_of(items, outcomes, 1.0, then=True)
    for side, (value, unknown) in ((found.through, through), (found.caught, caught)):
        assert (side.errors.value if side.errors else None, side.unknown_items) == (value, unknown)


def test_now_and_then_are_told_apart() -> None:
    """What is held now and let through then is caught on one side and goes out on the other."""
    items, outcomes = {("held", True, False): 8}, {("held", True, False): known((True, 1), (False, 1))}
    now, then = (expected_of(items, outcomes, 2.0, then=side) for side in (False, True))  # type: ignore[arg-type]
    assert now.caught.errors is not None
    assert then.through.errors is not None
    assert (now.caught.errors.value, now.through.items) == (8.0, 0.0)
    assert (then.through.errors.value, then.caught.items) == (8.0, 0.0)


def test_the_interval_covers_the_truth() -> None:
    """Over 400 draws of audits with π = 0.1 among 2,000 items, 8 % wrong, about 95 in 100 intervals hold the number."""
    draw, covered = random.Random(11), 0
    for _ in range(400):
        audited = [(draw.random() < 0.08, 10.0) for _ in range(2000) if draw.random() < 0.1]
        found = expected_of(
            {("audited", False, False): 2000}, {("audited", False, False): known(*audited)}, 1.0, then=True
        )
        assert found.through.errors is not None
        covered += found.through.errors.low <= 160 <= found.through.errors.high
    assert 0.92 <= covered / 400 <= 0.99
