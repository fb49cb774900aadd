"""What `promote` and `rollback` share: the lines of a preview, the names of releases, the sentence at the end."""

import sys
from collections.abc import Callable

import click
import msgspec

from lockgate.output import note, say


class ChangedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs."""

    name: str
    before: str
    after: str


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two releases."""

    before: str
    after: str
    changes: tuple[ChangedLine, ...]
    guideline: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The difference in plain lines."""
        changes = [f"{each.name}: {each.before} -> {each.after}" for each in self.changes]
        return [*changes, *self.guideline] or ["nothing that answers or reviewers depend on"]


class PreviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a move would change."""

    release: str
    number: int
    version: int
    before: str
    revision: int
    difference: DifferenceLine
    withdraws: str | None
    ends_trial: str | None

    def print(self, verb: str) -> None:
        """Print the target first, then what will change."""
        note(f"{verb} {self.release} (version {self.version}) in the place of {self.before}. What changes:")
        for line in self.difference.lines:
            note(f"  {line}")
        if self.withdraws is not None:
            note(f"{self.withdraws} is marked withdrawn: nothing rolls back to it any more.")
        if self.ends_trial is not None:
            note(f"The trial of {self.ends_trial} ends: it is compared with {self.before}.")


class MovedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model after its pointer has moved."""

    release: str
    before: str
    withdrawn: str | None
    plan_revision: int


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the gate."""

    name: str
    verdict: str
    reasons: tuple[str, ...]


class GateLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says."""

    verdict: str
    at_once: bool
    checks: tuple[CheckLine, ...]
    asks: str

    def print(self, tell: Callable[[str], None]) -> None:
        """Print the verdict with every reason."""
        at_once = " It only raises human control, so no evidence is asked for." if self.at_once else ""
        tell(f"The gate says: {self.verdict}.{at_once}")
        if not self.at_once:
            tell(f"It asks for: {self.asks}.")
        for check in self.checks:
            for reason in check.reasons:
                tell(f"  {check.verdict:8} {check.name}: {reason}")


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that waits for a second person."""

    by: str
    why: str
    force: bool


class PromotionLine(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a promotion, or to its preview."""

    preview: PreviewLine
    gate: GateLine
    guard: str
    four_eyes: bool
    request: RequestLine | None
    moved: MovedLine | None


class MoveLine(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a rollback, or to its preview."""

    preview: PreviewLine
    moved: MovedLine | None


class ReleaseName(click.ParamType[tuple[str, int]]):
    """A release as people write it: `sentiment@7`."""

    name = "release"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[str, int]:
        """Model and number."""
        if isinstance(value, tuple):
            return value
        model, _, number = str(value).rpartition("@")
        if not model or not number.isdecimal():
            self.fail(f"'{value}' is no release; write it like sentiment@7.", param, context)
        return model, int(number)


RELEASE = ReleaseName()


def confirm(question: str, *, ask: bool) -> None:
    """Ask on a terminal whether to go on."""
    if ask and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)


def print_moved(moved: MovedLine | None) -> None:
    """Say what serves now."""
    assert moved is not None
    say(f"{moved.release} serves in the place of {moved.before}, from plan revision {moved.plan_revision} on.")
