"""`lockgate predictions`: the story of one prediction."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.output import print_table, say

Value = str | float | None
VERDICTS = ("  round", "by", "verdict", "answer", "reason", "rationale", "at")


class InputLine(msgspec.Struct, frozen=True, kw_only=True):
    """An input tensor as it came in."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: msgspec.Raw


class VerdictLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's judgement."""

    person: str
    replayed: bool
    round: int
    kind: str
    answer: Value
    reason_code: str
    rationale: str | None
    created_us: int


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case about an item."""

    kind: str
    queue: str
    state: str
    verdicts: tuple[VerdictLine, ...]


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of an item's outcome."""

    revision: int
    source: str
    status: str
    answer: Value
    created_us: int
    undone_by: str | None
    undone_why: str | None


class ItemLine(msgspec.Struct, frozen=True, kw_only=True):
    """One item's story."""

    item: int
    answer: Value
    score: float | None
    held: bool
    rule: str
    evidence: dict[str, float | str]
    cases: tuple[CaseLine, ...]
    outcomes: tuple[OutcomeLine, ...]


class TellingLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller was told."""

    n: int
    kind: str
    outcome_revision: int | None
    delivered_us: int


class FlagLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a flag said, and why."""

    name: str
    enabled: bool
    reason: str


class StoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """The story of a prediction."""

    id: str
    release: str
    caller: str
    request_id: str | None
    decided_us: int
    decided_path: str
    decided_rule: str
    path: str
    rule: str
    public_rule: str
    flag_state: str | None
    flag_revision: int | None = None
    flags: tuple[FlagLine, ...]
    context: dict[str, str]
    unread: tuple[str, ...]
    sticks_to: str
    items: tuple[ItemLine, ...]
    tellings: tuple[TellingLine, ...]
    input_digest: str


class ShownStory(msgspec.Struct, frozen=True, kw_only=True):
    """A story with what came in, where that was kept."""

    story: StoryLine
    inputs: tuple[InputLine, ...]


@click.group()
def predictions() -> None:
    """Look a prediction up."""


@predictions.command()
@click.argument("prediction_id")
@remote
def show(call: Call, prediction_id: str) -> None:
    """What came in, how it was decided, who judged it, and what its caller was told when."""
    call.show(call.server.get(f"/api/v1/predictions/{prediction_id}"), ShownStory, print_story)


def print_story(shown: ShownStory) -> None:
    """Print a story from its first moment to its last."""
    story = shown.story
    say(f"Prediction {story.id} of {story.release}, asked by {story.caller} at {iso(story.decided_us)}")
    say(f"Decided: {story.decided_path} by rule {story.decided_rule}; in the end {story.path} by rule {story.rule}")
    say(f"The caller was told the rule as '{story.public_rule}'.")
    flags = ", ".join(f"{flag.name} {'on' if flag.enabled else 'off'} ({flag.reason})" for flag in story.flags)
    revision = f", revision {story.flag_revision}" if story.flag_revision is not None else ""
    say(f"Flags: {flags or 'no longer known'}; state {story.flag_state or 'none'}{revision}")
    _print_context(story)
    _print_input(shown)
    for item in story.items:
        _print_item(item)
    say("Told:")
    for each in story.tellings:
        told = f" (outcome revision {each.outcome_revision})" if each.outcome_revision else ""
        say(f"  {each.n}. {each.kind}{told} at {iso(each.delivered_us)}")


def _print_context(story: StoryLine) -> None:
    told = ", ".join(f"{name} '{value}'" for name, value in story.context.items())
    unread = f"; told and not kept, since no flag read it: {', '.join(story.unread)}" if story.unread else ""
    say(f"Context read: {told or 'none'}{unread}; a rollout sticks to {story.sticks_to}")


def _print_input(shown: ShownStory) -> None:
    say(f"Input (SHA-256 {shown.story.input_digest}):")
    for each in shown.inputs:
        say(f"  {each.name} {each.datatype}{list(each.shape)}: {bytes(each.data).decode()[:2000]}")
    if not shown.inputs:
        say("  was not kept, or was erased")


def _print_item(item: ItemLine) -> None:
    score = f" with score {item.score:.4g}" if item.score is not None else ""
    numbers = ", ".join(f"{name} {value}" for name, value in item.evidence.items())
    say(f"Item {item.item}: the model said {_shown(item.answer)}{score}; {'held' if item.held else 'not held'}, "
        f"rule {item.rule}{f' ({numbers})' if numbers else ''}")  # fmt: skip
    for case in item.cases:
        say(f"  {case.kind} case in queue {case.queue}: {case.state}")
        if case.verdicts:
            print_table(
                ("  round", "by", "verdict", "answer", "reason", "rationale", "at"), map(_verdict, case.verdicts)
            )
    for outcome in item.outcomes:
        undone = f"; undone by {outcome.undone_by}: {outcome.undone_why}" if outcome.undone_by else ""
        say(f"  outcome revision {outcome.revision} by {outcome.source}: {_outcome(outcome)}, "
            f"{iso(outcome.created_us)}{undone}")  # fmt: skip


def _verdict(each: VerdictLine) -> tuple[object, ...]:
    person = f"{each.person} (replayed)" if each.replayed else each.person
    answer = _shown(each.answer) if each.answer is not None else None
    return f"  {each.round}", person, each.kind, answer, each.reason_code, each.rationale, iso(each.created_us)


def _outcome(outcome: OutcomeLine) -> str:
    return _shown(outcome.answer) if outcome.status == "answered" else outcome.status


def _shown(answer: Value) -> str:
    return "nothing that is kept" if answer is None else f"'{answer}'"
