"""The budgets of a run: what each kind of request may cost, and which of them were not kept."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.report import Line, Run


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one kind of request may cost."""

    failures: float
    """The share of requests that may fail, from 0 to 1."""
    p99_ms: float
    requests_min: int
    """Fewer requests than this have shown nothing."""


def read_budgets(file: Path) -> dict[str, Budget]:
    """The budgets by the name of the request."""
    return {name: Budget(**limits) for name, limits in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def broken(run: Run, budgets: Mapping[str, Budget]) -> list[str]:
    """A sentence for each budget that was not kept, and for each kind of request that has none."""
    lines = {line.name: line for line in run.lines}
    unknown = [f"'{name}' has no budget" for name in sorted(lines.keys() - budgets.keys())]
    return unknown + [reason for name, budget in budgets.items() for reason in _broken(name, budget, lines.get(name))]


def _broken(name: str, budget: Budget, line: Line | None) -> list[str]:
    requests = line.requests if line is not None else 0
    if line is None or requests < budget.requests_min:
        return [f"'{name}': {requests} requests, at least {budget.requests_min} were expected"]
    reasons = []
    if line.failures > budget.failures * requests:
        reasons.append(f"'{name}': {line.failures} of {requests} failed")
    if line.p99_ms > budget.p99_ms:
        reasons.append(f"'{name}': p99 of {line.p99_ms:g} ms, at most {budget.p99_ms:g} allowed")
    return reasons
