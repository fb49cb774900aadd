"""PURE modules read no clock and draw no lot, not even through a name that they may import for another purpose."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BANNED = {
    "__import__", "breakpoint", "default_rng", "exec", "eval", "input", "monotonic", "new_id", "now", "now_us", "open",
    "perf_counter", "print", "rand", "randint", "random", "shuffle", "time_ns", "today", "urandom", "utcnow", "uuid1",
    "uuid4", "uuid7",
}  # fmt: skip


def pure_modules() -> list[Path]:
    """The files that the contract `pure` names, as far as they are written."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    names = contracts["importlinter:contract:pure"]["source_modules"].split()
    places = [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names]
    return [place for place in places if place.exists()]


def names_reached(tree: ast.AST) -> set[str]:
    """Every name that a module imports or calls."""
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {each.id for each in called if isinstance(each, ast.Name)}
    return imported | names | {each.attr for each in called if isinstance(each, ast.Attribute)}


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_reads_no_clock_and_draws_no_lot(path: Path) -> None:
    """Clock, randomness and files are arguments of a decision, never read inside it."""
    assert names_reached(ast.parse(path.read_text())) & BANNED == set()


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_has_no_coroutine(path: Path) -> None:
    """A decision waits for nothing."""
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, waits)] == []
