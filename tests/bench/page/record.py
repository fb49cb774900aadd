"""A run as it is kept: every case with its figure, its rounds and what the plots need, in docs/performance/."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.bench.case import Case
from tests.bench.running import Result

DIGITS = 5
"""How many digits of a number are kept."""
FOLDER = Path(__file__).resolve().parents[3] / "docs" / "performance"
RUN, LONG = FOLDER / "run.json", FOLDER / "long.json"
"""The run of everything but the long cases, and that of those."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One case as it went; without a value it broke."""

    what: str
    better: Literal["higher", "lower"]
    goal: float | None
    value: float | None
    rounds: list[float]
    more: dict[str, Any]

    @property
    def verdict(self) -> str:
        """What came of it, in a word."""
        if self.value is None:
            return "broke"
        if self.goal is None:
            return ""
        return "met" if (self.value >= self.goal if self.better == "higher" else self.value <= self.goal) else "missed"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run, and where it was."""

    at: str
    """The day, UTC."""
    took_s: float
    seconds: float
    rounds: int
    disturbed: str = "not looked at"
    """How many loads others on the hardware disturbed."""
    machine: dict[str, str]
    versions: dict[str, str]
    cases: dict[str, Taken]


def taken(result: Result) -> Taken:
    """What is kept of a case."""
    case: Case = result.case
    measured = result.measured
    return Taken(
        what=case.what,
        better=case.better,
        goal=case.goal,
        value=None if measured is None else short(measured.value),
        rounds=[] if measured is None else short(list(measured.rounds)),
        more={} if measured is None else short(dict(measured.more)),
    )


def short(value: Any) -> Any:
    """The value with its numbers cut to DIGITS, and tuples as JSON gives them back."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: short(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [short(each) for each in value]
    return value


def read(path: Path) -> Run | None:
    """The kept run; None where there was none yet."""
    return msgspec.json.decode(path.read_bytes(), type=Run) if path.exists() else None


def write(run: Run, path: Path) -> None:
    """Keep the run, one case a line."""
    path.parent.mkdir(exist_ok=True)
    cases = [f"{_json(name)}: {_json(each)}" for name, each in run.cases.items()]
    head = _json(msgspec.structs.replace(run, cases={})).removesuffix("{}}")
    path.write_text(head + "{\n" + ",\n".join(cases) + "\n}}\n", encoding="utf-8")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
