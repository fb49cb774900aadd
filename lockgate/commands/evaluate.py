"""`lockgate evaluate`: run a release over the held-out items of a dataset, beside the champion."""

import click
import msgspec

from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_table, say
from lockgate.progress import waiting


class IntervalLine(msgspec.Struct, frozen=True, kw_only=True):
    """A share with its interval."""

    value: float
    low: float
    high: float
    n: int

    @property
    def text(self) -> str:
        """The figure for people."""
        return f"{self.value:+.1%} ({self.low:+.1%} to {self.high:+.1%})"


class ComparisonLine(msgspec.Struct, frozen=True, kw_only=True):
    """Two releases on the same items."""

    what: str
    difference: IntervalLine
    fixes: int
    breaks: int


class EvaluatedLine(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation that is there now."""

    id: str
    new: bool
    report: str
    comparisons: tuple[ComparisonLine, ...]
    narrative: tuple[str, ...]


@click.command()
@click.argument("release")
@click.option("--dataset", required=True, help="The dataset, by the first characters of its SHA-256.")
@click.option("--seed", type=click.IntRange(0, (1 << 32) - 1), default=0, show_default=True,
              help="Which changed items are listed where there are many.")  # fmt: skip
@remote
def evaluate(call: Call, release: str, dataset: str, seed: int) -> None:
    """Run a release, such as sentiment@7, over the held-out items of a dataset, beside the champion."""
    body = {"dataset": dataset, "seed": seed}
    with waiting(f"Evaluating {release}"):
        answer = call.server.post(f"/api/v1/releases/{release}/evaluations", body)
    call.show(answer, EvaluatedLine, _print_evaluated)


def _print_evaluated(done: EvaluatedLine) -> None:
    for sentence in done.narrative:
        say(sentence)
    if done.comparisons:
        lines = ((one.what, one.difference.n, one.difference.text, one.fixes, one.breaks) for one in done.comparisons)
        print_table(("part", "items", "difference (95 %)", "fixes", "breaks"), lines)
    note(f"Evaluation {done.id}; its report is {done.report}.")
