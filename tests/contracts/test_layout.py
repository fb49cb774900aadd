"""The shape of the source: packages are packages, files and functions stay small."""

import ast
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("lockgate", "flags", "gateway", "review")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 10
P90_FUNCTION_LINES = 30


def sources(package: str) -> list[Path]:
    """The modules of a package, without the migrations, which are generated."""
    return sorted(path for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)


def function_lengths(path: Path) -> dict[str, int]:
    """The lines of each function in a file, its docstring not counted."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {f"{path.relative_to(ROOT)}:{node.name}": lines(node) for node in functions}


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring and decorators."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_package(package: str) -> None:
    """A folder without __init__.py would be invisible to the import contracts."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package: str) -> None:
    """No file is longer than 300 lines."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(package)}
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_are_short(package: str) -> None:
    """No function is longer than 60 lines."""
    lengths = {name: length for path in sources(package) for name, length in function_lengths(path).items()}
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


def test_most_functions_are_very_short() -> None:
    """Half of all functions have at most 10 lines, nine in ten at most 30."""
    lengths = [n for package in PACKAGES for path in sources(package) for n in function_lengths(path).values()]
    assert median(lengths) <= MEDIAN_FUNCTION_LINES
    assert quantiles(lengths, n=10)[-1] <= P90_FUNCTION_LINES
