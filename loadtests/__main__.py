"""Load on a fresh server: `python -m loadtests [--users N] [--seconds N] [--gateways N] [--report FILE]`.

A `lockgate serve` with two models is started in a temporary folder; services call both, reviewers judge what is held,
and an operator promotes and rolls back all the while. The exit status is 1 when a budget of `budgets.toml` is not kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from loadtests.budgets import broken, read_budgets
from loadtests.report import Run, read_run, write_report
from tests.acceptance.cards import card
from tests.acceptance.scene import Scene, staged

HERE = Path(__file__).parent
MODELS = ("steady", "doubtful")
"""Services ask the first one what it is sure of, and the second one what it is not."""
POLICY = {"wait_cap_s": 30.0}
REVIEWERS = 4
LOCUSTFILES = ("callers.py", "reviewers.py", "operators.py")


def main() -> int:
    """Start a server, let everybody loose on it, write the report, and say whether every budget was kept."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="lockgate-load-") as name:
        folder = Path(name)
        with staged(folder, gateways=given.gateways) as scene:
            let_loose(scene, folder, given)
        run = read_run(folder / "load", users=given.users, seconds=given.seconds)
    reasons = broken(run, read_budgets(HERE / "budgets.toml"))
    write_report(run, reasons, given.report)
    print(summary(run, reasons, given.report))
    return int(bool(reasons))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description="Everybody at work on a fresh server.")
    parser.add_argument("--users", type=int, default=30, help="services at the same time (30)")
    parser.add_argument("--seconds", type=int, default=30, help="how long (30)")
    parser.add_argument("--gateways", type=int, default=1, help="gateway processes (1)")
    parser.add_argument("--report", type=Path, default=Path("test-results/load.html"), help="where the report goes")
    return parser.parse_args()


def let_loose(scene: Scene, folder: Path, given: argparse.Namespace) -> None:
    """Make the models and the people, and run locust without its pages."""
    for name in MODELS:
        scene.found(name, **POLICY)
        scene.switch(name, on=True)
    scene.until_automated(*MODELS)
    people = [scene.make_reviewer(f"Reviewer {n}", f"reviewer{n}@example.org") for n in range(REVIEWERS)]
    files = ",".join(str(HERE / name) for name in LOCUSTFILES)
    users = given.users + len(people) + 1
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", files, "--host", scene.server.url, "--headless"),
        *("--only-summary", "--users", str(users), "--spawn-rate", str(users), "--run-time", f"{given.seconds}s"),
        *("--stop-timeout", "40", "--csv", str(folder / "load"), "--csv-full-history", "--exit-code-on-error", "0"),
    ]
    subprocess.run(command, env=os.environ | environment_of(scene, people), check=True)


def environment_of(scene: Scene, people: list[str]) -> dict[str, str]:
    """What the users need to know."""
    return {
        "LOAD_CALLER": scene.caller,
        "LOAD_OPERATOR": scene.operate,
        "LOAD_REVIEWERS": ",".join(people),
        "LOAD_CARD": card(audit_rate=0.01, **POLICY),
    }


def summary(run: Run, reasons: list[str], report: Path) -> str:
    """The last lines: every broken budget, and one JSON object."""
    figures = {
        line.name: {"requests": line.requests, "failures": line.failures, "p99_ms": line.p99_ms} for line in run.lines
    }
    said = [f"over budget: {reason}" for reason in reasons] or ["every budget was kept"]
    return "\n".join([*said, f"report: {report}", json.dumps(figures)])


if __name__ == "__main__":
    sys.exit(main())
