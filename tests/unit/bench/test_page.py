"""The page of the benchmarks is made of a run, and of nothing else."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.page.placing import NOT_YET, blocks, pictures, placed
from tests.bench.page.record import Run, Taken, read, write
from tests.bench.page.svg import Axis
from tests.bench.page.words import figure
from tests.bench.stacks import LOOP, RUNNER, Frame, tree_of
from tests.bench.stages import ROWS

PERCENT = [1, 50, 99.9]
TIMES = {"ours": [300.0, 400.0, 900.0], "theirs": [200.0, 250.0, 500.0]}
STACKS = {"name": "all", "samples": 10, "calls": [{"name": "gateway.pipeline:Pipeline.handle", "samples": 7}]}


def taken(goal: float | None, value: float | None, **more: object) -> Taken:
    """A case where more is better."""
    rounds = [value, value] if value is not None else []
    return Taken(what="what", better="higher", goal=goal, value=value, rounds=rounds, more=more)


def made(**cases: Taken) -> Run:
    """A run of these cases."""
    return Run(at="2026-11-28", took_s=600, seconds=3, rounds=5, machine={"processors": "2"}, versions={}, cases=cases)


WHOLE = made(
    speed_tail=taken(3, 2, percent=PERCENT, c1=TIMES, c64=TIMES),
    overload_goodput=taken(0.9, 0.95, peak=150.0, loads=[{"offered": 3.0, "good": 0.95, "refused": 2.0, "late": 0.0}]),
    stage_whole_us=taken(None, 110, rows=dict.fromkeys(ROWS, 10.0), p50_us=300.0, stacks=STACKS),
    workers_two=taken(1.8, 1.9, times=[1.9], raw=[1.2, 1.4, 1.3], load_share=[0.3], busy=[0.99]),
    start_s=taken(2.0, None),
    broken=taken(0.5, None),
    missed=taken(0.5, 0.4),
)
LONG = made(memory_growth_mib=taken(5, 1, series=[[0.0, 170.0], [60.0, 171.0]], early=170.0, late=171.0))


def test_every_picture_is_sound_and_says_what_it_is() -> None:
    """Each is XML with a title and a description."""
    drawn = pictures(WHOLE, LONG)
    assert set(drawn) == {"goals", "latency", "goodput", "memory", "flame"}
    for picture in drawn.values():
        root = ElementTree.fromstring(picture)
        first = [child.tag.rpartition("}")[2] for child in root][:2]
        assert (first, root.get("role")) == (["title", "desc"], "img")


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    """Without a run there is no figure and no picture; a broken case is named as one, a missed goal, too."""
    assert pictures(None, None) == {}
    assert set(blocks(None, None).values()) == {NOT_YET}
    assert "| `broken` | what | – |  | ≥ 0.5 | **broke** |" in blocks(WHOLE, LONG)["goals"]
    assert "| `missed` | what | 0.4 | 0.4 – 0.4 | ≥ 0.5 | **missed** |" in blocks(WHOLE, LONG)["goals"]


def test_details_are_told_of_what_was_measured() -> None:
    """A case that broke has none."""
    told = blocks(WHOLE, LONG)["details"]
    shared = "1.9 × with the load taken out, 1.3 × as it is; the load had 30% of both processors, 99% were busy"
    assert f"| `workers_two` | {shared} |" in told
    assert "start_s" not in told


def test_only_the_made_parts_of_a_page_are_replaced() -> None:
    """What is written by hand stays, and a page without a place is refused."""
    page = "by hand\n<!-- made by the benchmarks: x -->\nold\n<!-- end -->\nby hand\n"
    assert placed(page, {"x": "new"}) == page.replace("old", "new")
    with pytest.raises(ValueError, match="the page has no"):
        placed(page, {"y": "new"})


def test_a_run_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    """Nothing is lost between a run and the page of it."""
    write(WHOLE, tmp_path / "kept" / "run.json")
    assert read(tmp_path / "kept" / "run.json") == WHOLE
    assert read(tmp_path / "absent.json") is None


def test_stacks_become_a_tree_above_the_loop() -> None:
    """What runs the loop is cut off, the loop's own work is named, and rare calls are told with their caller."""
    stacks = {
        ("main", RUNNER, "a", "b"): 600,
        ("main", RUNNER, "a"): 300,
        ("main", RUNNER, "a", "rare"): 1,
        ("main", RUNNER): 50,
        ("of its own",): 49,
    }
    b = Frame(name="b", samples=600)
    a = Frame(name="a", samples=901, calls=[b])
    rest = [Frame(name=LOOP, samples=50), Frame(name="of its own", samples=49)]
    assert tree_of(stacks) == Frame(name="all", samples=1000, calls=[a, *rest])


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param(1.0, 50.0, id="the middle of a scale of powers"),
        pytest.param(0.25, 0.0, id="its end"),
        pytest.param(-3.0, 0.0, id="beyond its end"),
        pytest.param(99.0, 100.0, id="beyond the other"),
    ],
)
def test_values_have_their_place(value: float, place: float) -> None:
    """An axis puts what is beyond it at its end."""
    assert Axis(first=0.25, last=4, at_first=0, at_last=100, log=True)(value) == pytest.approx(place)


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (0.71234, "0.712"), (12345.6, "12,346"), (-0.5, "-0.5"), (0.0, "0")]
)
def test_figures_are_short(value: float | None, words: str) -> None:
    """Three digits, or all of a large whole."""
    assert figure(value) == words
