"""How flags stand, as pages and lists show them."""

import pytest

from flags.definitions import Feature, State
from flags.errors import UnknownFlag
from review.flag_switches import switch_in, switch_of


def test_a_flag_that_a_server_does_not_have_is_off() -> None:
    """What serves is shown all the same, the flag as requests meet it; whoever asks for the flag itself is told."""
    state = State(features=(Feature(name="other.automated", enabled=True, strategies=()),))
    switch = switch_in(state, "m.automated")
    assert (switch.on, switch.reach, switch.means) == (False, "nobody", "every request is held for a person")
    with pytest.raises(UnknownFlag):
        switch_of(state, "m.automated")
