"""What is made of an Unleash server's answers, and of what it is told."""

import msgspec
import pytest

from flags.answer import FAILED, NOTHING_LOADED, OFF, ON, UNKNOWN, FlagAnswer, FlagView, Reason
from flags.errors import NotAFeatureState
from flags.folding import fold
from flags.unleash.fetched import fetched_state
from flags.unleash.server import Trouble, UnleashServer, refused
from flags.unleash.usage import Toggle, Usage, bucket_of

NOON_US = 1_800_000_000_000_000
A = {"name": "a.automated", "enabled": True, "strategies": [{"name": "default"}]}
B = {"name": "b.automated", "enabled": False, "strategies": []}
CAREFUL = FlagAnswer(enabled=True, reason=Reason.ON, variant="careful", payload="{}")


def answer(*features: object, revision: int = 7, **others: object) -> bytes:
    """What a server answers."""
    meta = {"revisionId": revision, "etag": f'"76d8bb0e:{revision}"', "queryHash": "76d8bb0e"}
    return msgspec.json.encode({"version": 2, "features": features, "meta": meta} | others)


def view(automated: FlagAnswer) -> FlagView:
    """A view in which the other two flags are off."""
    return FlagView(automated=automated, shadow=OFF, candidate=UNKNOWN, state="d", loaded=True)


def test_the_same_flags_have_the_same_digest() -> None:
    """Revision, order and query of an answer change nothing; another flag does."""
    first = fetched_state(answer(A, B, segments=[{"id": 2, "constraints": []}, {"id": 1, "constraints": []}]))
    again = fetched_state(
        answer(B, A, revision=8, segments=[{"id": 1, "constraints": []}, {"id": 2, "constraints": []}], query={})
    )
    assert first.digest == again.digest
    assert (first.version, again.version) == (7, 8)
    assert first.digest != fetched_state(answer(A)).digest
    assert set(msgspec.json.decode(first.body)) == {"version", "features", "segments"}


def test_a_fetched_state_is_stored_as_it_is_loaded() -> None:
    """The engine gives a fetched state the digest that it is kept under, and members of newer servers stay in it."""
    state = fetched_state(answer(A | {"brandNew": [1]}))
    assert fold(state.body).digest == state.digest
    assert b"brandNew" in state.body


@pytest.mark.parametrize(
    "content", [b"<html>", b"", b"[]", b"{}", b'{"features": {}}', b'{"features": [1]}', b"[" * 5000]
)
def test_an_answer_without_flags_is_refused(content: bytes) -> None:
    """A proxy's page, another service or a cut answer is no feature state."""
    with pytest.raises(NotAFeatureState):
        fetched_state(content)


@pytest.mark.parametrize(
    ("token", "environment"),
    [
        ("default:production.f00d", "production"),
        ("*:development.f00d", "development"),
        ("[]:eu-west.f00d.bar", "eu-west"),
        ("f00d", "default"),
        ("default:f00d", "default"),
        ("", "default"),
    ],
)
def test_the_environment_is_the_tokens(token: str, environment: str) -> None:
    """A token says which environment it is for; one that does not is for the one that clients call default."""
    server = UnleashServer(url="http://u/api", token=token, instance="i", refresh_s=15, usage_s=60)
    assert server.environment == environment


@pytest.mark.parametrize(
    ("status", "trouble"), [(401, Trouble.REFUSED), (403, Trouble.REFUSED), (404, Trouble.UNEXPECTED)]
)
def test_a_status_is_told_by_name(status: int, trouble: Trouble) -> None:
    """A refused token is told apart from a server in trouble, with the status that it answered."""
    assert refused(status).trouble is trouble
    assert str(status) in refused(status).said


def test_answers_are_counted_by_flag_and_variant() -> None:
    """On, off, unknown and variants count as Unleash's clients count them; a request whose flags failed does not."""
    usage = Usage(NOON_US)
    for said in (ON, ON, CAREFUL, OFF, FAILED):
        usage.count("m", view(said))
    usage.count("n", NOTHING_LOADED)
    bucket = bucket_of(usage.take(NOON_US), NOON_US + 1_000_000)
    assert bucket is not None
    assert bucket.start < bucket.stop
    assert bucket.toggles == {
        "m.automated": Toggle(yes=3, no=1, variants={"careful": 1}),
        "m.shadow": Toggle(yes=0, no=4, variants={}),
        "m.candidate": Toggle(yes=0, no=4, variants={}),
    }


def test_what_could_not_be_told_is_told_later() -> None:
    """Counts that a server did not take are in the next bucket, which begins where they began; told ones are not."""
    usage = Usage(NOON_US)
    usage.count("m", view(ON))
    taken = usage.take(NOON_US + 1)
    usage.count("m", view(ON))
    usage.give_back(taken)
    again = usage.take(NOON_US + 2)
    bucket = bucket_of(again, NOON_US + 2)
    assert again.since_us == NOON_US
    assert bucket is not None
    assert bucket.toggles["m.automated"].yes == 2
    assert bucket_of(usage.take(NOON_US + 3), NOON_US + 3) is None
