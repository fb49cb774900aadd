"""Moments as people type them."""

from datetime import UTC, datetime

import pytest

from review.release.moments import MomentRefused, moment_us

NOW = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)


def us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return round(moment.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("14:03", NOW.replace(minute=3)),
        (" 9:05:30 ", NOW.replace(hour=9, minute=5, second=30)),
        ("2026-11-27", NOW.replace(day=27, hour=0, minute=0)),
        ("2026-11-27T14:03", NOW.replace(day=27, minute=3)),
        ("2026-11-27T14:03:00Z", NOW.replace(day=27, minute=3)),
        ("2026-11-28T15:03+01:00", NOW.replace(minute=3)),
    ],
)
def test_these_are_moments(text: str, moment: datetime) -> None:
    """A time of today, or ISO 8601; UTC unless it says otherwise."""
    assert moment_us(text, us(NOW)) == us(moment)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "14:61", "14:31", "2027-01-01", "14", "2026-13-01", "9" * 50])
def test_these_are_none(text: str) -> None:
    """What cannot be read, and what has not been yet."""
    with pytest.raises(MomentRefused, match="is no moment that has been"):
        moment_us(text, us(NOW))
