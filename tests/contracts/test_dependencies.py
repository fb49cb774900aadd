"""Every dependency is accounted for, once, and locked."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SECTIONS = {
    "To run": PROJECT["project"]["dependencies"],
    "To build": PROJECT["dependency-groups"]["build"],
    "For the demo": PROJECT["dependency-groups"]["demo"],
    "To check": PROJECT["dependency-groups"]["check"],
    "To test": PROJECT["dependency-groups"]["test"],
}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def name(requirement: str) -> str:
    """The package that a requirement names."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]


def documented() -> dict[str, list[str]]:
    """The packages of each section of docs/dependencies.md."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    return {text.split("\n", 1)[0]: re.findall(r"^\| ([a-z0-9-]+) \| \S", text, re.MULTILINE)[1:] for text in sections}


@pytest.mark.parametrize("section", SECTIONS)
def test_each_dependency_has_its_reason_in_the_docs(section: str) -> None:
    """docs/dependencies.md and pyproject.toml name the same packages, in the order of the alphabet."""
    assert documented()[section] == sorted(map(name, SECTIONS[section]))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    """Each package of a lock is held by hashes, and no registry is named."""
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--\w*index\w*|--find-links)\b", text, re.MULTILINE)
    packages = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_lists_are_nested() -> None:
    """What runs is in the demo's list, and that in the tests' list, at the same versions."""
    run, demo, test = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / f"{level}.txt").read_text(), re.MULTILINE))
        for level in ("run", "demo", "test")
    )
    assert run <= demo <= test


def test_what_pyproject_names_is_locked() -> None:
    """Every direct dependency is in the tests' list."""
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "test.txt").read_text(), re.MULTILINE))
    assert [entry for entries in SECTIONS.values() for entry in entries if name(entry) not in locked] == []
