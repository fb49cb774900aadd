"""From an entry back to what the flags were asked with."""

from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flags.answer import FlagAnswer, FlagView
from flags.context import RequestFacts
from flags.definitions import State, body_of
from flags.folding import fold
from flags.names import of_model
from flags.reading import reads_of
from gateway.context import Told, kept_fields, sticky_key, unread_fields
from gateway.facts import facts_of, lacking
from gateway.record.codec import decode, encode
from gateway.record.entries import ContextField, Decided, FlagFacts
from tests.unit.flags.test_folding import NOON_US, clocks, states, values
from tests.unit.record.samples import decided

texts = st.none() | values.filter(bool)
callers = st.builds(
    lambda user, session, sent: Told(user_id=user, session_id=session, properties=sent),
    texts, texts, st.dictionaries(st.sampled_from(["plan", "absent"]), values.filter(bool), max_size=2),
)  # fmt: skip


def asked(told: Told, now_us: int) -> RequestFacts:
    """What the pipeline asks the flags with."""
    entry = decided()
    return RequestFacts(
        model="m",
        tenant=str(entry.tenant),
        caller=str(entry.api_key),
        sticky_key=entry.input_digest,
        now_us=now_us,
        user_id=told.user_id,
        session_id=told.session_id,
        properties=told.properties,
    )


def recorded(told: Told, view: FlagView, now_us: int) -> Decided:
    """The entry as it comes back from the log."""
    stickiness, sticky_field = sticky_key(told)
    facts = FlagFacts(
        state=view.state,
        evaluated_us=now_us,
        stickiness=stickiness,
        sticky_field=sticky_field,
        context=tuple(ContextField(*field) for field in kept_fields(told, view.fields)),
        unread=unread_fields(told, view.fields),
    )
    entry = decode(encode(replace(decided(model="m"), flags=facts)))
    assert isinstance(entry, Decided)
    return entry


def three(view: FlagView) -> tuple[FlagAnswer, ...]:
    """The answers of a view."""
    return view.automated, view.shadow, view.candidate


@given(states, callers, clocks)
@settings(max_examples=200, deadline=None)
def test_an_entry_alone_gives_the_same_answers_again(state: State, told: Told, now_us: int) -> None:
    """Whatever the definitions and whatever was told: what the entry keeps is enough, save where chance plays."""
    view = fold(body_of(state)).view(asked(told, now_us))
    entry = recorded(told, view, now_us)
    again = fold(body_of(state)).view(facts_of(entry))
    for flag, before, after in zip(of_model("m").all(), three(view), three(again), strict=True):
        assert reads_of(state, flag).chance or before == after
    assert lacking(entry, view.fields or ()) == ()


@given(states, callers)
@settings(max_examples=50, deadline=None)
def test_a_value_that_no_flag_reads_is_nowhere_in_the_entry(state: State, told: Told) -> None:
    """What the caller told beside what is read is in the entry by name alone, but for what a rollout sticks to."""
    secret = replace(told, properties={**told.properties, "absent": "the secret", "other": "the secret"})
    view = fold(body_of(state)).view(asked(secret, NOON_US))
    entry = recorded(secret, view, NOON_US)
    if "absent" not in (view.fields or ()):
        assert b"the secret" not in encode(entry)
        assert {"absent", "other"} <= set(entry.flags.unread)
        assert lacking(entry, ["other", "tenant"]) == ("other",)


def test_an_older_entry_is_read_as_it_was_meant() -> None:
    """Before callers had a context, an entry kept the session that counted: it is one still."""
    older = msgspec.msgpack.decode(encode(decided()))
    older["flags"] = {"state": "ab" * 32, "evaluated_us": 7, "stickiness": "user-1", "answers": []}
    entry = decode(msgspec.msgpack.encode(older))
    assert isinstance(entry, Decided)
    facts = facts_of(entry)
    assert (facts.session_id, facts.user_id, facts.now_us) == ("user-1", None, 7)
    assert (facts.tenant, facts.caller) == (str(UUID(bytes=older["tenant"])), str(UUID(bytes=older["api_key"])))


def test_the_revision_of_the_flags_is_kept() -> None:
    """Each entry tells what the source called the state then, older entries that nobody noted it."""
    asked = FlagFacts(state="ab", revision=7)
    assert decode(encode(replace(decided(), flags=asked))).flags.revision == 7
    assert decode(encode(replace(decided(), flags=FlagFacts(state="ab")))).flags.revision == 0


def test_the_environment_is_the_one_that_was_asked_in() -> None:
    """An Unleash server's flags are asked in the environment of its token, and again in the same."""
    entry = decode(encode(replace(decided(), flags=FlagFacts(environment="development"))))
    assert isinstance(entry, Decided)
    assert facts_of(entry).environment == "development"
    assert facts_of(replace(entry, flags=FlagFacts())).environment == "production"


def test_who_named_nobody_sticks_to_the_input() -> None:
    """An entry without a key to stick to is evaluated by the digest of its input."""
    entry = replace(decided(), flags=FlagFacts(evaluated_us=7))
    assert (facts_of(entry).session_id, facts_of(entry).sticky_key) == (None, entry.input_digest)
