"""What callers ask for, and how long that lets them wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Asked
from gateway.holding.asked import Preferences, asked_from, parse_key, parse_prefer
from gateway.holding.errors import InvalidIdempotencyKey
from gateway.holding.wait import wait_for
from gateway.times import SECOND_US

PREFERENCES = [
    ("a wait", ["wait=5"], Preferences(5)),
    ("async", ["respond-async"], Preferences(None, True)),
    ("both in one header", ["respond-async, wait=5"], Preferences(5, True)),
    ("both in two headers", ["wait=5", "respond-async"], Preferences(5, True)),
    ("another case, more blanks", ["  Respond-Async ,WAIT = 5 "], Preferences(5, True)),
    ("a quoted wait", ['wait="5"'], Preferences(5)),
    ("the first one counts", ["wait=5, wait=9"], Preferences(5)),
    ("parameters of a preference", ["wait=5; foo=bar, respond-async; x"], Preferences(5, True)),
    ("a comma in quotes", ['foo="a, respond-async", wait=1'], Preferences(1)),
    ("unknown preferences", ["return=minimal, handling=lenient"], Preferences()),
    ("a wait that is no number", ["wait=soon"], Preferences()),
    ("a negative wait", ["wait=-1"], Preferences()),
    ("a wait of 1.5", ["wait=1.5"], Preferences()),
    ("a wait without a value", ["wait"], Preferences()),
    ("async with a value", ["respond-async=yes"], Preferences()),
    ("async with an empty value", ['respond-async=""'], Preferences(None, True)),
    ("nothing", [""], Preferences()),
    ("nonsense", [";;=,\"'"], Preferences()),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in PREFERENCES], ids=[row[0] for row in PREFERENCES])
def test_prefer(values: list[str], expected: Preferences) -> None:
    """`Prefer` is read as RFC 7240 says; what is invalid is ignored."""
    assert parse_prefer(values) == expected


@given(st.lists(st.text(max_size=60), max_size=4))
def test_no_prefer_header_is_an_error(values: list[str]) -> None:
    """Whatever is sent, reading it raises nothing, and a wait is never negative."""
    wait_s = parse_prefer(values).wait_s
    assert wait_s is None or wait_s >= 0


PARAMETERS = [
    ("nothing", {}, Asked()),
    ("milliseconds", {"review_wait_ms": 1500}, Asked(wait_s=1.5)),
    ("no wait at all", {"review_wait_ms": 0}, Asked(wait_s=0.0)),
    ("async", {"review_async": True}, Asked(respond_async=True)),
    ("async must be true", {"review_async": "true"}, Asked()),
    ("Triton's timeout alone", {"timeout": 2_000_000}, Asked(wait_s=2.0, within_s=2.0)),
    ("the least counts", {"timeout": 2_000_000, "review_wait_ms": 5000}, Asked(wait_s=2.0, within_s=2.0)),
    (
        "a timeout makes no wait of an async",
        {"timeout": 1_000_000, "review_async": True},
        Asked(respond_async=True, within_s=1.0),
    ),
    ("Triton's timeout of 0 is none", {"timeout": 0}, Asked()),
    ("invalid waits", {"review_wait_ms": "5", "timeout": True}, Asked()),
    ("a negative wait", {"review_wait_ms": -1}, Asked()),
    ("not a number", {"review_wait_ms": float("nan")}, Asked()),
    ("a person, please", {"review": "require"}, Asked(review=True)),
    ("no other word asks for a person, or against one", {"review": "skip"}, Asked()),
]


@pytest.mark.parametrize(
    ("parameters", "expected"), [row[1:] for row in PARAMETERS], ids=[row[0] for row in PARAMETERS]
)
def test_parameters(parameters: dict[str, object], expected: Asked) -> None:
    """The body's parameters say the same as the header."""
    assert asked_from([], parameters) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deadline_s", "parameters", "wait_s"),
    [
        (5.0, {}, 4.9),
        (5.0, {"review_wait_ms": 1000}, 1.0),
        (5.0, {"timeout": 2_000_000}, 2.0),
        (0.05, {}, 0.0),
        (5.0, {"review_async": True}, None),
        (5.0, {"review_async": True, "review_wait_ms": 9000}, 4.9),
    ],
)
def test_a_deadline_shortens_the_wait(deadline_s: float, parameters: dict[str, object], wait_s: float | None) -> None:
    """A caller is told something before it gives up by itself; who asked to be told at once still is."""
    asked = asked_from([], parameters, deadline_s=deadline_s)  # type: ignore[arg-type]
    assert asked.wait_s == (None if wait_s is None else pytest.approx(wait_s))


def test_header_and_body_together() -> None:
    """The least wait of both counts; what the header asked is what `Preference-Applied` names."""
    headers = [(b"accept", b"*/*"), (b"prefer", b"wait=3"), (b"idempotency-key", b'"k"')]
    asked = asked_from(headers, {"review_wait_ms": 1000}, pinned=7, request_id="r")
    assert asked == Asked(wait_s=1.0, applied="wait=3", idempotency_key="k", pinned=7, request_id="r")


KEYS = [
    ("none", [], None),
    ("bare", ["abc-1"], "abc-1"),
    ("quoted", ['"abc-1"'], "abc-1"),
    ("escaped", [r'"a\"b\\c"'], r"a\"b\\c".replace("\\\\", "\\").replace('\\"', '"')),
    ("the same twice", ["k", '"k"'], "k"),
    ("the longest", ["k" * 255], "k" * 255),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS])
def test_idempotency_key(values: list[str], expected: str | None) -> None:
    """A key is the same whether it comes bare or quoted."""
    assert parse_key(values) == expected


@pytest.mark.parametrize("values", [[""], ['""'], ["k" * 256], ["a", "b"], ["a\x01"]])
def test_an_invalid_key_is_refused(values: list[str]) -> None:
    """Empty, too long, two different ones and control characters are 400."""
    with pytest.raises(InvalidIdempotencyKey):
        parse_key(values)


WAITS = [
    ("nothing asked", Asked(), 10.0, "fallback", ""),
    ("a shorter wait", Asked(wait_s=2.0, applied="wait=2"), 2.0, "fallback", "wait=2"),
    ("a longer wait is capped, and told so", Asked(wait_s=60.0, applied="wait=60"), 10.0, "fallback", "wait=10"),
    ("no wait", Asked(wait_s=0.0, applied="wait=0"), 0.0, "fallback", "wait=0"),
    ("async", Asked(respond_async=True, applied="respond-async"), 0.0, "async", "respond-async"),
    (
        "both",
        Asked(wait_s=60.0, respond_async=True, applied="respond-async, wait=60"),
        10.0,
        "async",
        "respond-async, wait=10",
    ),
]


@pytest.mark.parametrize(("asked", "seconds", "then", "applied"), [row[1:] for row in WAITS], ids=[r[0] for r in WAITS])
def test_the_wait_matrix(asked: Asked, seconds: float, then: str, applied: str) -> None:
    """WIRE.md's matrix of what was asked, under a cap of 10 seconds."""
    wait = wait_for(asked, 10.0, 1_000)
    assert (wait.until_us, wait.then, wait.preference_applied) == (1_000 + int(seconds * SECOND_US), then, applied)


@given(st.floats(0, 1e9) | st.none(), st.booleans(), st.floats(0, 50))
def test_nobody_waits_beyond_the_cap(wait_s: float | None, respond_async: bool, cap_s: float) -> None:
    """Whatever is asked, the wait lies between now and the policy's cap."""
    wait = wait_for(Asked(wait_s=wait_s, respond_async=respond_async), cap_s, 0)
    assert 0 <= wait.until_us <= round(cap_s * SECOND_US)
