"""What each event is told as, and that there is none that cannot be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.release.gate import Thresholds
from review.timeline.told import Entry, Fact, Happened, kind_of, model_of, together, told

DIGEST = "4f2a" * 16
LONGEST = Thresholds(margin=0.999999, min_held_out=100_000, min_decided=100_000).told


def happened(type_: str, position: int = 1, subject: str = "model:sentiment", **facts: Fact) -> Happened:
    """An event as the timeline reads it."""
    return Happened(
        position=position, first_position=position, type=type_, subject=subject, facts=facts, by="key:ci", at_us=1
    )


def truth(position: int, items: int, conflicts: int = 0, source: str = "returns") -> Happened:
    """Truths that arrived together."""
    return happened("truth.arrived", position, source=source, items=items, conflicts=conflicts)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (happened("release.founded", release="s@1"), "s@1 serves, the first release of the model."),
        (happened("release.promoted", release="s@2", before="s@1"), "s@2 was promoted in the place of s@1."),
        (
            happened("release.promoted", release="s@2", before="s@1", forced=True, second_person="person:b@x.org"),
            "s@2 was promoted in the place of s@1, by force, confirmed by b@x.org.",
        ),
        (happened("release.rolled_back", release="s@1", withdrawn="s@2"), "Rolled back to s@1; s@2 is withdrawn."),
        (happened("model.halted", mode="refuse"), "Halted: every request is refused."),
        (happened("model.halted", mode="a new one"), "Halted: a new one."),
        (happened("model.resumed"), "The halt was lifted."),
        (happened("flag.changed", flag="s.shadow", was="off", now="on for everybody"),
         "s.shadow: off → on for everybody."),
        (happened("flag.changed", flag="s.shadow", was="not there", now="off"), "s.shadow begins off."),
        (happened("trial.canary_opened", release="s@2"),
         "The canary of s@2 was opened: it answers where its flag is on."),
        (happened("dataset.frozen", items=12, dataset=DIGEST), "A dataset of 12 items was frozen: 4f2a4f2a4f2a…."),
        (truth(1, 1), "1 truth arrived from the source “returns”."),
        (truth(1, 5, 2), "5 truths arrived from the source “returns”, 2 of them against what people said."),
        (happened("release.promoted"), "– was promoted in the place of –."),
        (happened("gate.lowering_requested", asks="less"),
         "A second person is asked to confirm lower terms of the gate: less."),
        (happened("gate.cleared", asks="less", second_person="person:ben"),
         "The gate's terms were cleared, confirmed by ben: less."),
        (happened("gate.declared", asks=LONGEST), f"The gate's terms were declared: {LONGEST}."),
        (happened("guard.breached", release="s@2", act="rolled_back"),
         "The guard found s@2 in breach and rolled back."),
        (happened("guard.breached", release="s@2"), "The guard found s@2 in breach."),
        (happened("bundle.made", format="a_1", size=0.25, why="bad", at_us=1_000_000, on=True, n=3, m=4),
         "Bundle made: format a_1, size 0.25, at 1970-01-01T00:00:01.000Z, on yes."),
        (happened("release.trained", release="s@3", dataset=DIGEST),
         "s@3 came out of a training on the dataset 4f2a4f2a4f2a…."),
        (happened("training.trigger_set", after_corrections=50),
         "It is retrained by itself after 50 new corrections."),
        (happened("something_else.entirely"), "Something else entirely."),
        (happened("training.done", dataset=DIGEST, log=None), "Training done: dataset 4f2a4f2a4f2a…."),
    ],
)  # fmt: skip
def test_an_event_is_told_in_plain_words(one: Happened, said: str) -> None:
    """Known types have a sentence; an unknown one is told by its name and at most four of its facts."""
    assert told(one).said == said


@given(
    st.text(max_size=30),
    st.text(max_size=30),
    st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.floats() | st.text()),
)
def test_nothing_cannot_be_told(type_: str, subject: str, facts: dict[str, Fact]) -> None:
    """Whatever an event is called and carries, it is a line of the timeline."""
    assert told(happened(type_, 1, subject, **{"mode": None} | facts)).said


@pytest.mark.parametrize("type_", ["model.halted", "release.rolled_back", "guard.breached"])
def test_that_somebody_stepped_in_is_grave(type_: str) -> None:
    """A halt, a rollback and a guard's breach stand out."""
    assert told(happened(type_)).grave
    assert not told(happened("release.promoted")).grave


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("release.promoted", "serves"), ("release.evaluated", "learning"), ("model.halted", "halt"), ("trial.x", "trial"),
     ("guard.x", "guard"), ("bundle.written", "other"), ("", "other")],
)  # fmt: skip
def test_a_type_says_what_it_changes(type_: str, kind: str) -> None:
    """By the whole type, by its part before the point, or not at all."""
    assert kind_of(type_) == kind


def test_a_subject_names_its_model() -> None:
    """A flag is a model's, and a model may have a name with a line in it."""
    assert [model_of(one) for one in ("model:a-b", "flag:a-b.automated", "")] == ["a-b", "a-b", ""]


def test_truths_in_a_row_are_one() -> None:
    """Sums and both positions are kept; another source, or anything between, begins a new line."""
    row = [truth(1, 2), truth(2, 3, 1), truth(4, 1, source="lab"), happened("model.resumed", 5), truth(6, 1)]
    lines: list[Entry] = [told(one) for one in together(row)]
    assert [(line.first_position, line.position) for line in lines] == [(1, 2), (4, 4), (5, 5), (6, 6)]
    assert lines[0].said == "5 truths arrived from the source “returns”, 1 of them against what people said."
