"""Draws come from the system, many at a time."""

from statistics import mean

import pytest

from gateway.draws import SystemDraws


def test_draws_are_uniform_and_never_come_again() -> None:
    """Within [0, 1), with the mean and spread of a uniform distribution, and with no seed to repeat them."""
    draws = SystemDraws()
    found = [draws.random() for _ in range(20_000)]
    assert all(0 <= number < 1 for number in found)
    assert mean(found) == pytest.approx(0.5, abs=0.015)  # seven standard errors
    assert mean(number * number for number in found) == pytest.approx(1 / 3, abs=0.015)
    assert len(set(found)) == len(found)
    draws.seed(1)
    first = draws.random()
    draws.seed(1)
    assert draws.random() != first
    with pytest.raises(NotImplementedError):
        draws.getstate()
    with pytest.raises(NotImplementedError):
        draws.setstate(())
    assert 0 <= draws.getrandbits(5) < 32
    assert draws.choice([7]) == 7
