"""Runs the benchmarks: `python -m tests.bench [--list] [CASE…]`.

Progress goes to standard error; the last line of standard output is one JSON object. With `--list` nothing is measured
and the object holds what each case is.
"""

import importlib
import json
import pkgutil
import sys
import time
import traceback
from collections.abc import Sequence

from tests import bench
from tests.bench.case import Case


def find_cases() -> list[Case]:
    """The cases of every module here, in the order of their names."""
    modules = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name[0] != "_")
    found = [getattr(importlib.import_module(f"tests.bench.{name}"), "CASES", ()) for name in modules]
    return [case for cases in found for case in cases]


def report(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def run(case: Case) -> dict[str, object]:
    """Run one case and say how it went; its entry in the result."""
    report(f"bench: {case.name}: {case.what}")
    started = time.monotonic()
    value = measured(case)
    if value is None:
        return {"value": None, "goal": case.goal, "better": case.better}
    verdict = "meets" if case.met(value) else "MISSES"
    report(f"bench: {case.name}: {value:g}, {verdict} {case.goal_text} ({time.monotonic() - started:.0f} s)")
    return {"value": value, "goal": case.goal, "better": case.better}


def measured(case: Case) -> float | None:
    """The figure, or None with the traceback on standard error: one broken case does not hide the others."""
    try:
        return case.measure()
    except Exception:  # noqa: BLE001
        report(f"bench: {case.name} failed\n{traceback.format_exc()}")
        return None


def main(wanted: Sequence[str]) -> int:
    """Run the cases named, or all; 1 when one failed, 2 when a name is unknown. A missed goal is no failure."""
    cases = {case.name: case for case in find_cases()}
    if "--list" in wanted:
        print(json.dumps({name: case.what for name, case in cases.items()}))
        return 0
    if unknown := set(wanted) - cases.keys():
        report(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
        return 2
    results = {name: run(case) for name, case in cases.items() if not wanted or name in wanted}
    print(json.dumps(results))
    return int(any(result["value"] is None for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
