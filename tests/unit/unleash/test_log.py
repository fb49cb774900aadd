"""What Unleash's event log says of models' flags: tables of events as 6.10 and 8.2 write them."""

from typing import Any

import msgspec
import pytest

from flags.unleash.admin import LoggedEvent
from flags.unleash.place import Place
from gateway.ids import id_time_us
from review.unleash.log import LATE_US, Change, Note, changes_in, noted, segments_in

PLACE = Place(url="https://unleash.example", project="shop", environment="production")
AT_US = 1_795_860_143_090_000
FLAG = "m.automated"
OF_6 = {
    "id": 13, "type": "feature-environment-enabled", "createdBy": "ada", "createdAt": "2026-11-28T10:02:23.090Z",
    "createdByUserId": 7, "data": None, "preData": None, "tags": [{"value": "model:m", "type": "simple"}],
    "featureName": FLAG, "project": "shop", "environment": "production",
}  # fmt: skip
OF_8 = OF_6 | {"groupType": "transaction", "groupId": "01M8GSNGZBDRP72C29YK9EJG1F"}
SEGMENTS = {4: ["m.automated", "n.shadow"]}


def event(**parts: Any) -> LoggedEvent:
    """An event as 8.2 writes it, some of it changed."""
    return msgspec.convert(OF_8 | parts, LoggedEvent)


def rollout(percent: str) -> dict[str, Any]:
    """A strategy in the log."""
    return {"id": "s", "name": "flexibleRollout", "parameters": {"rollout": percent, "stickiness": "default"}}


@pytest.mark.parametrize("written", [OF_6, OF_8], ids=["6.10", "8.2"])
def test_a_switch_is_read_alike_of_both_versions(written: dict[str, Any]) -> None:
    """Who, when, which flag, what was done, and an id that is the same at every reading."""
    (change,) = changes_in(msgspec.convert(written, LoggedEvent), PLACE, {})
    (again,) = changes_in(msgspec.convert(OF_6, LoggedEvent), PLACE, {})
    assert (change.flag, change.at_us, change.by, change.to) == (FLAG, AT_US, "unleash:ada", True)
    assert change.why == "In Unleash it was switched on."
    assert change.id == again.id
    assert (change.id.version, id_time_us(change.id)) == (7, AT_US)


@pytest.mark.parametrize(
    ("word", "parts", "why"),
    [
        ("off", {"type": "feature-environment-disabled"}, "In Unleash it was switched off."),
        ("made", {"type": "feature-created", "environment": None}, "In Unleash it was made."),
        ("archived", {"type": "feature-archived", "environment": None}, "In Unleash it was archived."),
        (
            "first strategy",
            {"type": "feature-strategy-add", "data": rollout("5")},
            "In Unleash it was given a strategy, at 5 %.",
        ),
        (
            "rollout",
            {"type": "feature-strategy-update", "preData": rollout("5"), "data": rollout("50")},
            "In Unleash it was given a changed strategy, from 5 % to 50 %.",
        ),
        (
            "constraint",
            {"type": "feature-strategy-update", "preData": rollout("5"), "data": rollout("5") | {"constraints": [1]}},
            "In Unleash it was given a changed strategy.",
        ),
        (
            "strategy gone",
            {"type": "feature-strategy-remove", "preData": rollout("5")},
            "In Unleash it was left without a strategy that it had.",
        ),
        ("variants", {"type": "feature-environment-variants-updated"}, "In Unleash it was given other variants."),
        ("odd data", {"type": "feature-strategy-add", "data": ["?"]}, "In Unleash it was given a strategy."),
    ],
)
def test_what_was_done_is_said(word: str, parts: dict[str, Any], why: str) -> None:
    """Each type of event that may change an answer has its words."""
    (change,) = changes_in(event(**parts), PLACE, {})
    assert change.why == why


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("another environment", {"environment": "development"}),
        ("another project", {"project": "bank"}),
        ("another team's flag", {"featureName": "checkout"}),
        ("no flag", {"featureName": None}),
        ("a tag", {"type": "feature-tagged"}),
        ("a newer type", {"type": "feature-dreamt-of"}),
        ("an unknown segment", {"type": "segment-updated", "featureName": None, "data": {"id": 9, "name": "x"}}),
        ("a new segment", {"type": "segment-created", "featureName": None, "data": {"id": 4, "name": "x"}}),
        ("no time", {"createdAt": "yesterday"}),
    ],
)
def test_what_changes_none_of_our_answers_is_passed_over(word: str, parts: dict[str, Any]) -> None:
    """Other environments, projects and flags, and what changes no answer, are not of our history."""
    assert changes_in(event(**parts), PLACE, SEGMENTS) == ()


def test_a_segment_changes_each_flag_that_refers_to_it() -> None:
    """One change a flag, each with an id of its own."""
    changed = event(type="segment-updated", featureName=None, project=None, environment=None,
                    data={"id": 4, "name": "Europe"})  # fmt: skip
    found = changes_in(changed, PLACE, SEGMENTS)
    assert [change.flag for change in found] == ["m.automated", "n.shadow"]
    assert {change.why for change in found} == {"In Unleash its segment 'Europe' was changed."}
    assert len({change.id for change in found}) == 2


def test_which_flags_refer_to_a_segment_is_read_of_the_state() -> None:
    """Models' flags alone, each once."""
    strategies = [{"name": "default", "segments": [4]}, {"name": "default", "segments": [4, 5]}]
    features = [{"name": name, "enabled": True, "strategies": strategies} for name in ("n.shadow", "checkout", FLAG)]
    body = msgspec.json.encode({"version": 2, "features": features})
    assert segments_in(body) == {4: [FLAG, "n.shadow"], 5: [FLAG, "n.shadow"]}


@pytest.mark.parametrize(
    ("word", "of", "same"),
    [
        ("read again", {}, True),
        ("a restored server's other event", {"createdAt": "2026-11-28T10:02:23.091Z"}, False),
        ("another event", {"id": 14}, False),
    ],
)
def test_an_id_is_of_its_event(word: str, of: dict[str, Any], same: bool) -> None:
    """The number of an event alone would not do: a server that was restored counts the same numbers again."""
    (one,), (other,) = changes_in(event(), PLACE, {}), changes_in(event(**of), PLACE, {})
    assert (one.id == other.id) is same


NOTE = Note(flag=FLAG, to=True, after=12, by="person:olga", why="a good week", at_us=AT_US, simulation="s1")


@pytest.mark.parametrize(
    ("word", "note", "ours"),
    [
        ("ours", {}, [True, False]),
        ("the other way", {"to": False}, [False, False]),
        ("another flag", {"flag": "m.shadow"}, [False, False]),
        ("before it was asked for", {"after": 13}, [False, True]),
        ("long before", {"at_us": AT_US - LATE_US - 1}, [False, False]),
    ],
)
def test_a_switch_that_was_asked_for_here_says_who_and_why(word: str, note: dict[str, Any], ours: list[bool]) -> None:
    """A note is of the first switch that fits it, and of no other."""
    changes = [change for id_ in (13, 20) for change in changes_in(event(id=id_), PLACE, {})]
    told = noted(changes, [msgspec.structs.replace(NOTE, **note)])
    assert [_is_ours(change) for change in told] == ours


def _is_ours(change: Change) -> bool:
    return (change.by, change.why, change.simulation) == (NOTE.by, NOTE.why, NOTE.simulation)
