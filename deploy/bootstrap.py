"""Makes `.venv` hold what one of the hash-locked lists says, and does nothing when it already does.

    python3 deploy/bootstrap.py run|demo|test

Needs nothing but Python ≥ 3.11. The lists are nested (run ⊆ demo ⊆ test) and agree on every version, so one environment
serves all three: it only ever grows. Which registry packages come from is the user's own pip configuration.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "installed.json"
PACKAGES = ("lockgate", "flags", "gateway", "review")
REPORT_EVERY_S = 15.0


class Level(NamedTuple):
    """One list of packages, with what it costs on a fresh machine."""

    name: str
    minutes: str
    megabytes: int

    @property
    def lock(self) -> Path:
        return ROOT / "requirements" / f"{self.name}.txt"


LEVELS = (Level("run", "1 to 2", 620), Level("demo", "1 to 3", 920), Level("test", "2 to 5", 1600))
NAMES = tuple(level.name for level in LEVELS)


def main(arguments: Sequence[str]) -> int:
    """Bring the environment up to the level named on the command line; the exit status."""
    if len(arguments) != 1 or arguments[0] not in NAMES:
        print(f"usage: python3 {sys.argv[0]} {'|'.join(NAMES)}", file=sys.stderr)
        return 2
    if trouble := unsuitable():
        print(trouble, file=sys.stderr)
        return 1
    with only_one_at_a_time():
        return ensure(NAMES.index(arguments[0]))


def unsuitable() -> str | None:
    """Why this Python cannot make the environment, as a sentence that says what to do; None when it can."""
    if sys.version_info < (3, 11):  # noqa: UP036  # the one place that an old Python gets to
        return f"Lockgate needs Python 3.11 or newer, and this is {sys.version.split()[0]}; install one and try again."
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        return f"This Python lacks venv; on Debian and Ubuntu: sudo apt install python3.{sys.version_info.minor}-venv"
    return None


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Hold the environment's lock, so that two makes started together do not both build it."""
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(wanted: int) -> int:
    """Install level `wanted`, unless the stamp says that it is there already; the exit status."""
    present = installed()
    if present is not None and present >= wanted:
        return 0
    level = LEVELS[max(wanted, last_level())]
    say(announcement(level))
    started = time.monotonic()
    status = build(level)
    if status == 0:
        write_stamp(level)
        say(f"ready after {time.monotonic() - started:.0f} s, {megabytes(ENVIRONMENT)} MB")
    else:
        say("the installation failed; what pip said is above. A second try continues where this one stopped.")
    return status


def announcement(level: Level) -> str:
    """What is about to happen, and what it costs."""
    if STAMP.exists():
        return "bringing .venv up to date with the lists"
    return (
        f"installing what Lockgate needs ({level.name}) into .venv: about {level.minutes} minutes on a usual line and "
        f"{level.megabytes} MB on disk, once"
    )


def installed() -> int | None:
    """The level that `.venv` holds and that is still what the lists say; None when anything differs."""
    try:
        stamp = json.loads(STAMP.read_text())
        level = LEVELS[NAMES.index(stamp["level"])]
    except (OSError, ValueError, KeyError):
        return None
    return LEVELS.index(level) if PYTHON.exists() and stamp == describe(level) else None


def last_level() -> int:
    """The level that was asked for last; 0 when there is no environment. It is never lowered."""
    try:
        return NAMES.index(json.loads(STAMP.read_text())["level"])
    except (OSError, ValueError, KeyError):
        return 0


def describe(level: Level) -> dict[str, object]:
    """What the stamp of an environment of this level says; a change to any of it brings the environment up to date."""
    locks = {each.name: digest(each.lock) for each in LEVELS[: LEVELS.index(level) + 1]}
    return {"level": level.name, "root": str(ROOT), "locks": locks, "project": digest(ROOT / "pyproject.toml")}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_stamp(level: Level) -> None:
    STAMP.write_text(json.dumps(describe(level), indent=1))


def build(level: Level) -> int:
    """Create the environment if need be, install the list and the project, compile; the exit status."""
    if not usable():
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True, prompt="lockgate").create(ENVIRONMENT)
    pip = [str(PYTHON), "-m", "pip", "-qq", "--disable-pip-version-check", "install", "--no-deps", "--compile"]
    status = watched([*pip, "--require-hashes", "--requirement", str(level.lock)])
    if status == 0:
        status = watched([*pip, "--no-build-isolation", "--editable", str(ROOT)])
    if status == 0:
        compile_packages()
    return status


def usable() -> bool:
    """Whether `.venv` has a Python that runs here and was made for this folder (scripts hold absolute paths)."""
    script = ENVIRONMENT / "bin" / "pip"
    if not PYTHON.exists() or not script.exists() or str(ENVIRONMENT) not in script.read_text().split("\n", 1)[0]:
        return False
    probe = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def watched(command: Sequence[str]) -> int:
    """Run `command` and say every few seconds how far the environment has grown; its exit status."""
    child = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"})
    started = time.monotonic()
    while True:
        try:
            return child.wait(timeout=REPORT_EVERY_S)
        except subprocess.TimeoutExpired:
            say(f"still installing: {time.monotonic() - started:.0f} s, {megabytes(ENVIRONMENT)} MB so far")


def compile_packages() -> None:
    """Compile the project's own packages; pip has compiled the others."""
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", *PACKAGES], cwd=ROOT, check=True)


def megabytes(folder: Path) -> int:
    """The size of a folder's files in MB, leaving out what vanishes while it is counted."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(parent) / name).lstat().st_size
    return total // 1_000_000


def say(sentence: str) -> None:
    print(f"lockgate: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
