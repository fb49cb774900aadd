"""The traffic log is synced in pieces that the system soon has behind it."""

import pytest

from gateway.record.upkeep import SYNC_BYTES, SYNC_PAUSE_S, next_pause_s


@pytest.mark.parametrize(
    ("pause_s", "grown", "expected"),
    [
        (1.0, 0, 1.0),  # nothing was written
        (1.0, SYNC_BYTES // 2, 1.0),
        (1.0, 4 * SYNC_BYTES, 0.25),
        (0.25, 4 * SYNC_BYTES, 0.0625),  # it has become four times as much
        (1.0, 1000 * SYNC_BYTES, SYNC_PAUSE_S),
        (0.25, SYNC_BYTES // 8, 1.0),  # the rush is over
        (0.25, SYNC_BYTES // 2, 0.5),
    ],
)
def test_the_pause_follows_the_pace(pause_s: float, grown: int, expected: float) -> None:
    """About a piece is written in it, within its bounds."""
    assert next_pause_s(pause_s, grown, 1.0) == expected


def test_a_shorter_interval_is_kept() -> None:
    """Settings that ask for more than the least pause have what they ask for."""
    assert next_pause_s(0.01, 0, 0.01) == 0.01
