"""What an operator is offered, for every way in which a model can stand; and what each act says before it is done."""

from uuid import UUID

import msgspec
import pytest

from flags.names import Kind
from gateway.plan import HaltPlan
from review.console.acts import acts_of, acts_of_release, page_keys, release_keys
from review.console.keys import Key
from review.console.previews import PREVIEWS
from review.flag_switches import Switch
from review.operations.now import ModelNow
from review.release.looking import ReleaseLine
from review.served import Served
from review.store.waiting import Waiting

HALT = HaltPlan(mode="refuse", by="person:o", why="odd", since_us=1)
NEXT = ReleaseLine(release="s@2", number=2, version=2, stands="waits", marks=(), by="key:ci", why=None, created_us=1)
FLAGS = ("automated", "shadow", "candidate")
SWITCHES = tuple(
    Switch(flag=f"s.{kind.value}", kind=kind, on=False, reach="nobody", means=kind.when_off) for kind in Kind
)


def standing(*, next_: ReleaseLine | None = None, back: bool = False, **served: object) -> ModelNow:
    """A model as it stands."""
    whole = Served(
        name="s", release="s@1", version=1, artifact="", upstream=None, previous=None, candidate=None,
        canary_open=False, flags=SWITCHES, halt=None, holds_waiting=0, four_eyes=False,
    )  # fmt: skip
    return ModelNow(
        id=UUID(int=1), served=msgspec.structs.replace(whole, **served),
        since_us=1, by="key:ci", why="", next=next_, back=back, waiting=Waiting(), guard=None, rollouts=(), troubles=(),
    )  # fmt: skip


PLACES = {"promote": "models/s/releases/2/promotion?back=operations", "rollback": "models/s/rollback?back=operations"}
TRIED = {"next_": NEXT, "candidate": "s@2"}


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        (standing(), "halt"),
        (standing(halt=HALT), "resume"),
        (standing(next_=NEXT), "promote halt trial"),
        (standing(back=True), "rollback halt"),
        (standing(**TRIED), "promote halt end-trial canary"),
        (standing(**TRIED, canary_open=True), "promote halt end-trial"),
    ],
)
def test_what_makes_sense_is_offered(now: ModelNow, offered: str) -> None:
    """Each act leads to its page; the flags can be switched at any time."""
    assert [act.address.removeprefix("/console/") for act in acts_of(now)] == [
        *(PLACES.get(one, f"operations/s/{one}") for one in offered.split()),
        *(f"operations/s/{flag}" for flag in FLAGS),
        "rollouts/s.automated",
    ]


OF = "?back=2"
LEADS = {
    "promote": f"models/s/releases/2/promotion{OF}", "rollback": f"models/s/rollback{OF}",
    "trial": f"operations/s/trial{OF}&number=2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("stands", "served", "back", "offered"),
    [
        ("waits", {}, False, "promote trial"),
        ("waits", {"candidate": "s@2"}, False, "promote end-trial canary"),
        ("waits", {"candidate": "s@2", "canary_open": True}, False, "promote end-trial"),
        ("waits", {"candidate": "s@3"}, True, "promote"),
        ("previous", {}, True, "promote trial"),
        ("served", {}, True, "promote trial"),
        ("champion", {}, True, "rollback"),
        ("champion", {}, False, ""),
        ("champion", {"candidate": "s@3"}, True, "rollback"),
        ("withdrawn", {}, True, ""),
    ],
)
def test_what_can_be_done_with_a_release(stands: str, served: dict[str, object], back: bool, offered: str) -> None:
    """Each act leads to what it would change, and from there back to the release."""
    line = msgspec.structs.replace(NEXT, stands=stands)
    acts = acts_of_release(line, standing(**served).served, back=back)
    assert [act.address.removeprefix("/console/") for act in acts] == [
        LEADS.get(one, f"operations/s/{one}{OF}") for one in offered.split()
    ]


@pytest.mark.parametrize("keys", [page_keys(), release_keys()])
def test_no_two_acts_share_a_key(keys: tuple[Key, ...]) -> None:
    """Nor does any of them take a key of the page."""
    assert len({key.key for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("now", "acts"),
    [
        (standing(), "halt"),
        (standing(halt=HALT), "resume"),
        (standing(next_=NEXT), "halt trial"),
        (standing(**TRIED), "halt canary end-trial"),
        (standing(**TRIED, canary_open=True), "halt end-trial"),
    ],
)
def test_only_what_makes_sense_has_a_preview(now: ModelNow, acts: str) -> None:
    """An act that somebody else was faster with, or that never made sense, has no page."""
    assert {name for name, preview in PREVIEWS.items() if preview(now) is not None} == {*acts.split(), *FLAGS}


def test_a_preview_says_what_a_flag_means_before_and_after() -> None:
    """And asks for exactly what was shown, so that two who press at once do not undo each other."""
    preview = PREVIEWS["automated"](standing())
    assert preview is not None
    assert (preview.title, preview.on) == ("Switch s.automated on", True)
    assert [words in " ".join(preview.changes) for words in (Kind.AUTOMATED.when_on, Kind.AUTOMATED.when_off)] == [
        True, True,
    ]  # fmt: skip
