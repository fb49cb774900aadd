"""The door to the engine."""

import msgspec
import pytest

from flags.answer import FAILED, OFF, ON, Reason
from flags.definitions import State, body_of, feature_from, switched, with_feature, with_model_flags
from flags.engine import load, regex_compiles
from flags.errors import NotAFeatureState

ALL_OFF = with_model_flags(State(), "m")
AUTOMATED = "m.automated"
NOBODY = b'{"sessionId":"s"}'


def test_a_variant_hands_out_its_payload_as_text() -> None:
    """A flag with a variant tells its name and its payload, unread."""
    body = {
        "enabled": True,
        "strategies": [{"name": "default"}],
        "variants": [{"name": "strict", "weight": 1000, "payload": {"type": "json", "value": '{"hold_below": 0.9}'}}],
    }
    state = with_feature(ALL_OFF, feature_from(msgspec.json.encode(body), AUTOMATED))
    answer = load(body_of(state)).answer(AUTOMATED, NOBODY)
    assert (answer.enabled, answer.reason) == (True, Reason.ON)
    assert (answer.variant, answer.payload) == ("strict", '{"hold_below": 0.9}')


def test_what_the_engine_cannot_compile_is_off_and_said() -> None:
    """A state with an operator that the engine does not know loads; its flag is off and the warning names it."""
    broken = b"""{"version":2,"features":[{"name":"m.automated","enabled":true,"strategies":[{"name":"default",
        "constraints":[{"contextName":"x","operator":"NEAR","values":["a"]}]}]}]}"""
    engine = load(broken)
    assert engine.warning is not None
    assert AUTOMATED in engine.warning
    assert engine.answer(AUTOMATED, NOBODY) == OFF


@pytest.mark.parametrize("unreadable", [b"", b"no json", b"[]"])
def test_a_context_that_cannot_be_read_is_off(unreadable: bytes) -> None:
    """A context that the engine refuses gives off, with the reason that the evaluation failed."""
    engine = load(body_of(switched(ALL_OFF, AUTOMATED, on=True)))
    assert engine.answer(AUTOMATED, unreadable) == FAILED
    assert engine.answer(AUTOMATED, NOBODY) == ON


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"version":2}', b'{"version":2,"features":[{}]}'])
def test_what_is_no_state_is_not_loaded(body: bytes) -> None:
    """A body that is no feature state is refused, rather than answered from an empty engine."""
    with pytest.raises(NotAFeatureState):
        load(body)


@pytest.mark.parametrize(
    ("pattern", "compiles"),
    [
        ("^a+$", True), (r"\d{3}-\d", True), (r"\p{Greek}", True), ("(?i)yes", True), ('say "hi"', True), ("", True),
        ("[", False), ("a)(b", False), ("(?=a)a", False), (r"(a)\1", False), ("*", False), ("a{1000}{1000}", False),
        ("ends in \\", False),
    ],
)  # fmt: skip
def test_a_regex_is_tried_on_the_engine(pattern: str, *, compiles: bool) -> None:
    """Whether a regular expression compiles is the engine's word, not Python's."""
    assert regex_compiles(pattern) is compiles
