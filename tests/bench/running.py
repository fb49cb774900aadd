"""Finds the cases of this folder and runs them, one after the other; a broken one does not hide the others."""

import importlib
import pkgutil
import sys
import time
import traceback
from dataclasses import dataclass

from tests import bench
from tests.bench.case import Case, Measured


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a case went; nothing was measured where it broke."""

    case: Case
    measured: Measured | None
    took_s: float

    def told(self) -> dict[str, object]:
        """Its entry in the object that a run of the benchmarks ends with."""
        told: dict[str, object] = {"value": None, "goal": self.case.goal, "better": self.case.better}
        if self.measured is None:
            return told
        rounds = {"rounds": self.measured.rounds} if self.measured.rounds else {}
        return told | {"value": self.measured.value} | rounds


def find_cases() -> list[Case]:
    """The cases of every module here, in the order of their names."""
    modules = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name[0] != "_")
    found = [getattr(importlib.import_module(f"tests.bench.{name}"), "CASES", ()) for name in modules]
    return [case for cases in found for case in cases]


def report(sentence: str) -> None:
    """Say something beside the result."""
    print(sentence, file=sys.stderr, flush=True)


def run(case: Case) -> Result:
    """Run one case and say how it went."""
    report(f"bench: {case.name}: {case.what}")
    started = time.monotonic()
    measured = _measured(case)
    took_s = time.monotonic() - started
    if measured is not None:
        verdict = "meets" if case.met(measured.value) else "MISSES"
        report(f"bench: {case.name}: {measured.value:g}, {verdict} {case.goal_text} ({took_s:.0f} s)")
    return Result(case=case, measured=measured, took_s=took_s)


def _measured(case: Case) -> Measured | None:
    """The figure, or None with the traceback on standard error."""
    try:
        found = case.measure()
    except Exception:  # noqa: BLE001
        report(f"bench: {case.name} failed\n{traceback.format_exc()}")
        return None
    return found if isinstance(found, Measured) else Measured(value=found)
