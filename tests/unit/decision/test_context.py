"""What callers may tell the flags of themselves."""

import string
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.context import (
    NOTHING_TOLD,
    AllowedContext,
    ContextContradicts,
    ContextProperty,
    ContextReader,
    ContextRefused,
    Told,
    kept_fields,
    sticky_key,
    unread_fields,
)
from gateway.context_header import HEADER_MAX_CHARACTERS, PAIRS_MAX, ContextHeaderRefused, context_pairs
from gateway.errors import BadRequest

ALLOWED = AllowedContext(
    address=True,
    properties={
        "plan": ContextProperty(values=("free", "gold")),
        "note": ContextProperty(max_length=5),
        "amount": ContextProperty(type="number"),
        "trusted": ContextProperty(type="boolean"),
        "since": ContextProperty(type="date"),
    },
)
READER = ContextReader(ALLOWED)
NOBODY = ContextReader(AllowedContext(user=False, session=False))


def told(**fields: object) -> Told:
    """What these parameters tell."""
    return READER.read({}, fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        pytest.param({"user_id": "u-17"}, {"userId": "u-17"}, id="a user"),
        pytest.param({"user_id": 17}, {"userId": "17"}, id="a user by number"),
        pytest.param({"session_id": "s"}, {"sessionId": "s"}, id="a session"),
        pytest.param({"remote_address": "2001:DB8::1"}, {"remoteAddress": "2001:db8::1"}, id="an address"),
        pytest.param({"plan": "gold"}, {"plan": "gold"}, id="a text that is listed"),
        pytest.param({"note": "Grüße"}, {"note": "Grüße"}, id="a text"),
        pytest.param({"amount": 12}, {"amount": "12"}, id="a whole number"),
        pytest.param({"amount": -1.5}, {"amount": "-1.5"}, id="a number"),
        pytest.param({"trusted": True}, {"trusted": "true"}, id="yes or no"),
        pytest.param({"since": "2026-11-22T14:00:00Z"}, {"since": "2026-11-22T14:00:00Z"}, id="a date"),
        pytest.param({"plan": "", "user_id": ""}, {}, id="empty texts say nothing"),
        pytest.param({"tenant": "x", "caller": "x", "model": "x"}, {}, id="what is ours"),
        pytest.param({"userId": "x", "currentTime": "x", "environment": "x"}, {}, id="names of the engine"),
        pytest.param({"review_async": True, "colour": "red"}, {}, id="what is not listed"),
    ],
)
def test_what_is_taken(sent: dict[str, object], known: dict[str, str]) -> None:
    """What the card allows is taken as text, by parameter; of the rest nothing is known."""
    assert told(**sent).fields() == known


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"plan": "silver"}, "'plan' must be one of 'free', 'gold', not a text of 6 characters"),
        ({"note": "longer"}, "'note' must be a printable text of at most 5 characters, not a text of 6 characters"),
        ({"note": "a\nb"}, "'note' must be a printable text"),
        ({"note": "\u202e"}, "'note' must be a printable text"),
        ({"note": "\x00"}, "'note' must be a printable text"),
        ({"note": True}, "not true or false"),
        ({"note": 1.5}, "not a number"),
        ({"user_id": "u" * 201}, "'user_id' must be a printable text of at most 200 characters"),
        ({"user_id": 10**18}, "'user_id' must be"),
        ({"amount": "12"}, "'amount' must be a number, not a text of 2 characters"),
        ({"amount": True}, "'amount' must be a number, not true or false"),
        ({"trusted": "true"}, "'trusted' must be true or false"),
        ({"since": "2026-11-22"}, "'since' must be a moment"),
        ({"remote_address": "10.0.0.0/8"}, "'remote_address' must be an IP address"),
    ],
)
def test_what_is_refused(sent: dict[str, object], words: str) -> None:
    """What the card lists and is of another type is refused by name, and its value is not repeated."""
    with pytest.raises(ContextRefused, match=words.replace("(", "\\(")):
        told(**sent)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("user_id=u-17&plan=gold", {"userId": "u-17", "plan": "gold"}),
        ("note=Gr%C3%BC%C3%9Fe", {"note": "Grüße"}),
        ("note=a+b", {"note": "a b"}),
        ("amount=12&trusted=false", {"amount": "12", "trusted": "false"}),
        ("amount=1.50", {"amount": "1.5"}),
        ("colour=red&tenant=x", {}),
        (" ", {}),
        ("", {}),
    ],
)
def test_the_header_tells_the_same(header: str, known: dict[str, str]) -> None:
    """The header is written as a query string is; its values are read by the types of the card."""
    assert READER.read(context_pairs([header]), {}).fields() == known


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["user_id=a", "user_id=b"], "given twice"),
        (["user_id=a&user_id=b"], "names a field twice"),
        (["user_id"], "is not made of pairs"),
        (["user_id=%ff"], "is not made of pairs"),
        (["user_id=\xfc"], "not percent-encoded"),
        (["a=" + "b" * HEADER_MAX_CHARACTERS], "is longer than"),
        (["&".join(f"n{n}=1" for n in range(PAIRS_MAX + 1))], "is not made of pairs"),
    ],
)
def test_a_header_that_is_not_right_is_refused(values: list[str], words: str) -> None:
    """Twice, malformed, too long or too many: each is refused in words."""
    with pytest.raises(ContextHeaderRefused, match=words):
        context_pairs(values)


@pytest.mark.parametrize("header", ["amount=1e3", "amount=NaN", "amount=0x10", "amount=1_000", "trusted=yes"])
def test_the_header_s_texts_are_of_the_types(header: str) -> None:
    """A text that means no number, or neither true nor false, is refused."""
    with pytest.raises(ContextRefused):
        READER.read(context_pairs([header]), {})


def test_two_ways_must_not_contradict_each_other() -> None:
    """The same told twice is taken once; a caller cannot overrule what a proxy says of it, nor the other way round."""
    assert READER.read({"user_id": "u", "amount": "7"}, {"user_id": "u", "amount": 7}).user_id == "u"
    with pytest.raises(ContextContradicts, match="'user_id'"):
        READER.read({"user_id": "u"}, {"user_id": "v"})


def test_a_card_may_allow_nobody() -> None:
    """Where a card allows neither user nor session, whoever names one is not listened to."""
    assert NOBODY.read({"user_id": "u"}, {"session_id": "s"}) is NOTHING_TOLD


def test_who_tells_nothing_costs_nothing() -> None:
    """Without header and parameters, one value stands for all requests."""
    assert READER.read(context_pairs([]), {}) is NOTHING_TOLD


@pytest.mark.parametrize(
    ("of", "read", "kept", "unread"),
    [
        (Told(user_id="u", properties={"plan": "gold"}), ("plan",), (("plan", "gold"),), ("userId",)),
        (Told(session_id="s"), ("sessionId", "userId"), (("sessionId", "s"),), ()),
        (Told(properties={"plan": "gold"}), (), (), ("plan",)),
        (Told(properties={"plan": "gold"}), None, (("plan", "gold"),), ()),
        (NOTHING_TOLD, ("plan",), (), ()),
    ],
)
def test_only_what_is_read_is_kept(
    of: Told, read: tuple[str, ...] | None, kept: tuple[tuple[str, str], ...], unread: tuple[str, ...]
) -> None:
    """The record keeps the values that definitions read, and of the others the names; all where nobody knows."""
    assert (kept_fields(of, read), unread_fields(of, read)) == (kept, unread)


@pytest.mark.parametrize(
    ("of", "key"),
    [
        (Told(user_id="u", session_id="s"), ("u", "userId")),
        (Told(session_id="s"), ("s", "sessionId")),
        (Told(properties={"plan": "gold"}), ("", "")),
    ],
)
def test_what_a_rollout_sticks_to(of: Told, key: tuple[str, str]) -> None:
    """The user, else the session, else nothing that the caller told."""
    assert sticky_key(of) == key


names = st.sampled_from([*ALLOWED.properties, "user_id", "session_id", "remote_address", "tenant", "userId", "x"])
anything = st.text(max_size=250) | st.booleans() | st.integers() | st.floats()


@given(
    st.dictionaries(names, st.text(max_size=250)),
    st.dictionaries(names, anything),
    st.none() | st.text(alphabet=string.printable),
)
@settings(deadline=None)
def test_whatever_is_sent_is_taken_or_refused_in_words(
    header: dict[str, str], parameters: dict[str, str | float | bool], raw: str | None
) -> None:
    """A hostile caller gets an error of the catalogue or is heard: printable texts, bounded, under allowed names."""
    try:
        known = READER.read(context_pairs([urlencode(header) if raw is None else raw]), parameters)
    except BadRequest:
        return
    allowed = {*ALLOWED.properties, "userId", "sessionId", "remoteAddress"}
    for name, value in known.fields().items():
        assert name in allowed
        assert value.isprintable()
        assert 0 < len(value) <= 200


def test_an_allowed_context_is_read_from_a_card() -> None:
    """A card without a word on it allows users and sessions, and no properties."""
    assert msgspec.convert({}, AllowedContext) == AllowedContext()
    assert (AllowedContext().user, AllowedContext().session, AllowedContext().address) == (True, True, False)
