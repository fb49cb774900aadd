"""The context of a request."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flags.context import RequestFacts, encoded, evaluation_context

NOW_US = 1_795_356_000_123_456


def facts(**changes: object) -> RequestFacts:
    """The facts of a plain request, some of them changed."""
    plain: dict[str, object] = {
        "model": "m",
        "tenant": "t",
        "caller": "key-1",
        "sticky_key": "digest",
        "now_us": NOW_US,
    }
    return RequestFacts(**(plain | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "changes", "session"),
    [
        ("session", {"session_id": "s", "user_id": "u"}, "s"),
        ("user", {"user_id": "u"}, "u"),
        ("neither", {}, "digest"),
        ("no digest", {"sticky_key": ""}, "key-1"),
        ("nothing", {"sticky_key": "", "caller": ""}, "m"),
    ],
)
def test_there_is_always_something_to_stick_to(word: str, changes: dict[str, object], session: str) -> None:
    """The session is the caller's, else the user, else the request's digest, and never empty."""
    assert evaluation_context(facts(**changes)).session_id == session


def test_a_caller_cannot_forge_who_calls() -> None:
    """Properties named model, tenant and caller are ours, whatever the caller sends."""
    forged = {"model": "x", "tenant": "x", "caller": "x", "plan": "gold"}
    assert evaluation_context(facts(properties=forged)).properties == {
        "model": "m",
        "tenant": "t",
        "caller": "key-1",
        "plan": "gold",
    }


@pytest.mark.parametrize("name", ["userId", "sessionId", "remoteAddress", "environment", "appName", "currentTime"])
def test_a_property_cannot_pass_for_a_field(name: str) -> None:
    """A property with the name of a field is left out: the engine would take it for a user who is absent."""
    context = evaluation_context(facts(properties={name: "forged"}))
    assert "forged" not in encoded(context).decode()


def test_values_are_text() -> None:
    """Booleans are true and false, numbers decimal, and what is absent stays absent."""
    properties = evaluation_context(facts(properties={"b": True, "i": 7, "f": 0.5, "n": None})).properties
    assert {name: properties.get(name) for name in "bifn"} == {"b": "true", "i": "7", "f": "0.5", "n": None}


def test_the_time_of_evaluation_is_the_request_s() -> None:
    """The engine is told the time of the request, in a form that it reads."""
    assert evaluation_context(facts()).current_time == "2026-11-22T14:00:00.123+00:00"


@given(
    st.dictionaries(st.text(), st.text() | st.booleans() | st.integers() | st.floats() | st.none()),
    st.none() | st.text(),
    st.none() | st.text(),
)
@settings(deadline=None)
def test_every_leaf_of_a_context_is_text(properties: dict[str, object], user: str | None, session: str | None) -> None:
    """Whatever a caller sends, the engine gets strings only, and a session that is not empty."""
    context = json.loads(encoded(evaluation_context(facts(properties=properties, user_id=user, session_id=session))))
    leaves = [*context.pop("properties").values(), *context.values()]
    assert all(isinstance(leaf, str) for leaf in leaves)
    assert context["sessionId"]
