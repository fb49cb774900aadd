"""Which records are kept back."""

import pytest

from demo.data.split import is_held_out


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_about_the_wanted_share_is_kept_back(share: float) -> None:
    """Of 5,000 keys the kept share is within three points of the one asked for."""
    kept = sum(is_held_out("set", str(key), share) for key in range(5_000))
    assert kept / 5_000 == pytest.approx(share, abs=0.03)


def test_the_side_of_a_record_depends_on_nothing_but_its_key() -> None:
    """The split is the same on every machine and every day."""
    assert [is_held_out("set", key, 0.5) for key in "abcdef"] == [True, False, True, False, True, True]


def test_a_larger_share_keeps_back_what_a_smaller_one_did() -> None:
    """Raising the share never moves a record from the held-out side to training."""
    keys = [str(key) for key in range(500)]
    assert all(is_held_out("set", key, 0.6) for key in keys if is_held_out("set", key, 0.3))
