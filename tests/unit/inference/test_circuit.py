"""A server that fails again and again is left alone for longer and longer, and tried once at a time."""

import pytest

from gateway.inference.circuit import FAILURES, LONGEST_PAUSE_S, Circuit


def broken(*, at_s: float = 0.0, more: int = 0) -> Circuit:
    """A circuit that opened at a moment, and whose tries failed so often since."""
    circuit = Circuit()
    for _ in range(FAILURES + more):
        circuit.failed(at_s)
    return circuit


def test_a_few_failures_leave_it_closed() -> None:
    """One below the limit is no reason, and a success makes all of them forgotten."""
    circuit = Circuit()
    for _ in range(FAILURES - 1):
        circuit.failed(0.0)
    assert circuit.lets_through(0.0)
    circuit.succeeded()
    for _ in range(FAILURES - 1):
        circuit.failed(0.0)
    assert (circuit.open, circuit.lets_through(0.0)) == (False, True)


def test_an_open_circuit_lets_one_call_try() -> None:
    """Nobody passes before the pause is over; then one does, and the others wait for what it finds."""
    circuit = broken()
    assert (circuit.open, circuit.lets_through(0.9)) == (True, False)
    assert circuit.pause_s(0.5) == 1.0
    assert [circuit.lets_through(1.0), circuit.lets_through(1.0)] == [True, False]
    circuit.succeeded()
    assert (circuit.open, circuit.lets_through(1.0)) == (False, True)


def test_a_try_that_ends_without_finding_out_lets_the_next_one_try() -> None:
    """A caller that goes away, or was in a hurry, must not keep the circuit open for ever."""
    circuit = broken()
    assert circuit.lets_through(1.0)
    circuit.left()
    assert circuit.lets_through(1.0)


@pytest.mark.parametrize(
    ("more", "pause_s"), [(0, 1.0), (1, 2.0), (2, 4.0), (4, 16.0), (5, LONGEST_PAUSE_S), (5000, 30.0)]
)
def test_each_failed_try_makes_the_pause_longer(more: int, pause_s: float) -> None:
    """It doubles, up to half a minute."""
    circuit = broken(at_s=100.0, more=more)
    assert circuit.pause_s(100.0) == pause_s
    assert [circuit.lets_through(100.0 + pause_s - 0.01), circuit.lets_through(100.0 + pause_s)] == [False, True]
