"""Which threads and how many rows are chosen, by what was measured."""

from collections.abc import Sequence

import msgspec
import pytest

from gateway.inference.benched import Benched, sentences, why_alone
from gateway.inference.choice import Choice, Joining, choose
from gateway.inference.pace import Measured, OpenedAs, Pace
from gateway.inference.report import AdmissionReport, Batching, Probe
from gateway.protocol.signature import Signature, TensorSpec
from gateway.registry.card import BatchBounds, Card, parse_card
from review.console.bench import bench_html, bench_svg
from tests.acceptance.cards import card as card_text

Row = tuple[int, int, float, float]
"""Threads, rows, rows a second, milliseconds of a run."""
THREAD, LOOP = (2_000.0, 200.0), (100.0, 1.0)
"""What one row costs and a further one, in microseconds: too long for the loop, and not."""
DEAR = (2_000.0, 1_900.0)


def measured(rows: Sequence[Row], *, opened: dict[int, tuple[float, float]] | None = None) -> Measured:
    """Paces of these figures, with steady rounds."""
    costs = opened or {threads: THREAD for threads, *_ in rows}
    return Measured(
        paces=tuple(
            Pace(
                threads=threads, rows=count, runs=500, rows_s=rate, rows_s_low=rate * 0.99, rows_s_high=rate * 1.01,
                p50_ms=took, p99_ms=took * 2,
            )
            for threads, count, rate, took in rows
        ),
        opened=tuple(
            OpenedAs(
                threads=threads, first_us=first, further_us=further, on_loop=first <= 300, pays=further < 0.8 * first
            )
            for threads, (first, further) in costs.items()
        ),
        free_size=1,
        loop_max_ms=0.3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "opened", "joined", "chosen", "joining", "keeps"),
    [
        pytest.param([(1, 1, 100, 9)], None, True, (1, 1), "pays", True, id="only one thing was measured"),
        pytest.param([(1, 1, 100, 9), (1, 8, 300, 20), (1, 16, 400, 30)], None, True, (1, 16), "pays", True,
                     id="the most rows a second"),
        pytest.param([(1, 1, 100, 9), (1, 8, 381, 20), (1, 16, 400, 30)], None, True, (1, 8), "pays", True,
                     id="fewer rows that are within 5 %"),
        pytest.param([(1, 1, 100, 9), (1, 8, 379, 20), (1, 16, 400, 30)], None, True, (1, 16), "pays", True,
                     id="fewer rows that are not"),
        pytest.param([(1, 1, 97, 9), (2, 1, 100, 8), (4, 1, 101, 8)], None, True, (1, 1), "pays", True,
                     id="threads that gain nothing"),
        pytest.param([(1, 1, 97, 9), (2, 1, 190, 5), (4, 1, 198, 5)], None, True, (2, 1), "pays", True,
                     id="threads that gain until there are enough"),
        pytest.param([(1, 1, 90, 9), (1, 16, 198, 30), (2, 1, 200, 5)], None, True, (1, 16), "pays", True,
                     id="threads are dearer than rows"),
        pytest.param([(1, 1, 100, 9), (1, 8, 300, 49), (1, 16, 400, 51)], None, True, (1, 8), "pays", True,
                     id="more rows would break the bound"),
        pytest.param([(1, 1, 10, 90), (2, 1, 18, 60)], None, True, (2, 1), "pays", False,
                     id="nothing keeps the bound"),
        pytest.param([(1, 1, 10, 90), (2, 1, 8, 45)], None, True, (2, 1), "pays", True,
                     id="slower runs of one row that break it do not count beside one that keeps it"),
        pytest.param([(1, 1, 100, 9), (1, 8, 300, 20)], None, False, (1, 1), "never", True,
                     id="nobody may join"),
        pytest.param([(1, 1, 100, 9), (1, 8, 300, 20)], {1: DEAR}, True, (1, 1), "does_not_pay", True,
                     id="the gateway would not join"),
        pytest.param([(1, 1, 9_000, 0.1), (1, 64, 90_000, 0.3), (1, 128, 95_000, 0.4)], {1: LOOP}, True, (1, 64),
                     "pays", True, id="the loop is not held up longer"),
        pytest.param([(1, 1, 9_000, 0.1), (1, 64, 90_000, 0.4), (2, 1, 8_000, 0.2), (2, 64, 80_000, 0.5)],
                     {1: LOOP, 2: THREAD}, True, (2, 64), "pays", True, id="on the loop with some threads only"),
    ],
)  # fmt: skip
def test_the_fewest_that_are_as_good_are_chosen(
    rows: list[Row],
    opened: dict[int, tuple[float, float]] | None,
    joined: bool,
    chosen: tuple[int, int],
    joining: Joining,
    keeps: bool,
) -> None:
    """Of what the gateway would run and is within 5 % of the best: the fewest threads, then the fewest rows."""
    choice = choose(measured(rows, opened=opened), joined=joined, run_max_ms=50)
    assert (choice.pace.threads, choice.pace.rows) == chosen
    assert (choice.alone.threads, choice.alone.rows) == (chosen[0], 1)
    assert (choice.joining, choice.keeps_bound) == (joining, keeps)


def benched(rows: Sequence[Row], *, alone: str = "", opened: dict[int, tuple[float, float]] | None = None) -> Benched:
    """A bench that measured this."""
    found = measured(rows, opened=opened)
    choice: Choice = choose(found, joined=not alone, run_max_ms=50)
    return Benched(
        model="m.onnx", sha256="0" * 64, processors=2, seconds=1, run_max_ms=50, why_alone=alone,
        measured=found, choice=choice,
    )  # fmt: skip


STEADY = [(1, 1, 100.0, 9.0), (1, 8, 300.0, 20.0), (1, 16, 305.0, 40.0)]


@pytest.mark.parametrize(
    ("found", "says", "lines"),
    [
        (benched(STEADY), "within 5% of the most, 305 rows a second with 1 thread and 16 rows", 4),
        (benched(STEADY), "A further row costs 10% of the first: requests that meet are run together.", 4),
        (benched(STEADY), "in a thread of the model's own", 4),
        (benched(STEADY, opened={1: DEAR}), "A further row costs 95% of the first: joining does not pay", 2),
        (benched(STEADY, opened={1: DEAR}), "16 rows a run would be 305 rows a second, but", 2),
        (benched(STEADY, alone="it mixes rows"), "Requests are never joined: it mixes rows.", 2),
        (benched([(1, 1, 9_000.0, 0.1), (1, 64, 90_000.0, 0.4)], opened={1: LOOP}), "held up for 0.3 ms", 4),
        (benched([(1, 1, 100.0, 9.0), (1, 8, 300.0, 51.0)]), "they take longer than 50 ms", 4),
        (benched([(1, 1, 1.0, 900.0)]), "No run takes less than 50 ms", 4),
    ],
)
def test_what_follows_is_said(found: Benched, says: str, lines: int) -> None:
    """The sentences tell what was chosen and why, and the card is told of rows only where it makes a difference."""
    assert any(says in sentence for sentence in sentences(found)), list(sentences(found))
    assert len(found.card_lines) == lines
    assert found.card_lines[-2:] == ("[session]", "threads = 1")


def test_unsteady_rounds_are_said() -> None:
    """Rounds that lie far apart are no ground for a choice."""
    found = benched(STEADY)
    assert not any("apart" in sentence for sentence in sentences(found))
    shaken = msgspec.structs.replace(found.choice.pace, rows_s_low=200.0)
    choice = msgspec.structs.replace(found.choice, pace=shaken)
    assert "The rounds lie 34% apart" in list(sentences(msgspec.structs.replace(found, choice=choice)))[-1]


@pytest.mark.parametrize(
    ("batching", "shape", "axis", "join", "why"),
    [
        ("independent", (-1, 4), 0, True, ""),
        ("mixed", (-1, 4), 0, True, "answered differently alone and together"),
        ("fixed", (-1, 4), 0, True, "the number of items that it declares"),
        ("unknown", (-1, 4), 0, True, "could not run it"),
        ("independent", (4,), 0, True, "input 'x' has no items"),
        ("independent", (-1, 4), None, True, 'batch_axis = "none"'),
        ("independent", (-1, 4), 0, False, "join = false"),
    ],
)
def test_why_requests_are_never_joined(
    batching: Batching, shape: tuple[int, ...], axis: int | None, join: bool, why: str
) -> None:
    """Admission's findings and the card say who may be run together."""
    inputs = (TensorSpec(name="x", datatype="FP32", shape=shape),)
    report = AdmissionReport(
        sha256="", bytes=1, signature=Signature(inputs=inputs, outputs=()), opsets=(), ir_version=10, producer="",
        class_labels=(), probe=Probe(batching=batching), warnings=(),
    )  # fmt: skip
    card: Card = msgspec.structs.replace(parse_card(card_text()), batch_axis=axis, batching=BatchBounds(join=join))
    found = why_alone(report, card)
    assert why in found if why else found == ""


def test_the_plot_says_in_words_what_it_shows() -> None:
    """A picture with a title and the sentences, a mark for each pace and one for the choice; the page has the table."""
    found = benched([*STEADY, (2, 1, 120.0, 8.0)])
    svg = bench_svg(found)
    assert svg.count('class="dot') == 2 * 4
    assert svg.count('class="chosen"') == 3
    assert "<title" in svg
    assert "requests that meet are run together" in svg
    page = bench_html(found)
    assert svg[svg.index("<path") :].strip() in page
    assert page.count("<td>500</td>") == 4
    assert "max_rows = 8" in page


def test_one_row_is_a_plot_too() -> None:
    """A model whose requests are never joined has a place on the axis."""
    assert "NaN" not in bench_svg(benched([(1, 1, 100.0, 9.0)]))
