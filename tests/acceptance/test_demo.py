"""`make demo` as a newcomer and as a pipeline see it: what is printed, links that open, and nothing left behind."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.servers.process import Process, until
from tests.servers.process import free_port as some_free_port

ROOT = Path(__file__).parents[2]
OPENING = "has destroyed several of my dvds and cds."
PATIENCE_S = 110.0


class Demo:
    """A play in a folder of its own; the models are the ones that the repository's `.demo/` keeps."""

    def __init__(self, home: Path, port: int, *words: str) -> None:
        self.home = home
        self.port = port
        command = [sys.executable, "-m", "demo", "--home", str(home), "--port", str(port), *words]
        self.process = Process(command, home.with_suffix(".txt"), folder=ROOT, ending=signal.SIGTERM)

    @property
    def printed(self) -> str:
        """Everything it has printed so far."""
        return self.process.log.read_text() if self.process.log.exists() else ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match in what it prints, as soon as it is there."""
        self.process.wait_until(lambda: bool(re.search(pattern, self.printed)), f"'{pattern}'", PATIENCE_S)
        found = re.search(pattern, self.printed)
        assert found is not None
        return found

    def servers(self) -> list[int]:
        """The processes of Lockgate that work on this play's data."""
        return [one.pid for one in psutil.process_iter() if str(self.home) in _data_directory(one)]


def _data_directory(process: psutil.Process) -> str:
    try:
        return process.environ().get("LOCKGATE_DATA_DIRECTORY", "")
    except psutil.Error:
        return ""


@pytest.fixture
def start(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., Demo]]:
    """A function that starts a play; each is ended with the test."""
    started: list[Demo] = []

    def begin(*words: str, port: int | None = None) -> Demo:
        demo = Demo(tmp_path / f"home{len(started)}", port or free_port(), *words)
        demo.process.start()
        started.append(demo)
        return demo

    yield begin
    for demo in started:
        demo.process.stop(signal.SIGTERM)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The last line of a short play without a person, which ended well and left no process behind."""
    home = tmp_path_factory.mktemp("once") / "home"
    words = ("--once", "--requests", "50", "--home", str(home), "--port", str(some_free_port()))
    play = subprocess.run(
        [sys.executable, "-m", "demo", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert play.returncode == 0, play.stdout + play.stderr
    assert Demo(home, 0).servers() == []
    last: dict[str, Any] = json.loads(play.stdout.splitlines()[-1])
    return last


def test_the_play_without_a_person_ends_with_its_figures(once: dict[str, Any]) -> None:
    """Nobody is let down, every hold tells its truth, the figures agree with each other, and people help."""
    assert (once["failed_requests"], once["holds_true"]) == (0, once["holds"])
    assert once["requests"] == sum(once["by_path"].values()) == 1 + 10 + 50
    assert once["holds"] == once["by_path"]["review"] >= 11
    assert once["verdicts"] >= once["outcomes"] >= 11
    assert once["verdict_to_answer_ms_p99"] > 0
    alone, reviewed = (once["errors_reaching_callers"][name] for name in ("automated_alone", "with_review"))
    assert alone["of"] == reviewed["of"] > 50
    assert reviewed["value"] < alone["value"]
    for share in (alone, reviewed, once["share_reviewed"]):
        low, high = share["interval"]
        assert 0 <= low <= share["value"] <= high <= 1


def test_the_play_goes_on_with_a_better_release_and_a_bad_one(once: dict[str, Any]) -> None:
    """What people said is frozen, learned from, measured and served; a bad release is gone within a second or two."""
    evaluation, promoted, rolled_back = (once[name] for name in ("evaluation", "promoted", "rolled_back"))
    assert re.fullmatch(r"[0-9a-f]{64}", once["dataset_sha256"])
    assert (evaluation["release"], evaluation["champion"]) == ("sentiment@2", "sentiment@1")
    for name in ("right", "champion_right"):
        assert 0 <= evaluation[name]["low"] <= evaluation[name]["value"] <= evaluation[name]["high"] <= 1
    held_out = evaluation["right"]["n"]
    gained = held_out * (evaluation["right"]["value"] - evaluation["champion_right"]["value"])
    assert evaluation["fixes"] - evaluation["breaks"] == pytest.approx(gained)
    assert promoted["release"] == "sentiment@2"
    assert promoted["forced"] is (promoted["gate"] != "promote") is bool(promoted["reasons"])
    assert (rolled_back["release"], rolled_back["to"]) == ("sentiment@3", "sentiment@2")
    assert rolled_back["answers"] >= 20
    assert once["rollback_ms"] > 0
    assert once["bundle_verified"] is True


def test_a_newcomer_is_waited_for_and_answers(start: Callable[..., Demo], free_port: Callable[[], int]) -> None:
    """A taken port is passed over, the link leads to the caller, a verdict answers it, a second play is refused."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        demo = start(port=taken.getsockname()[1])
        demo.wait_for(rf"port {demo.port} is taken")
        link = demo.wait_for(r"waiting for YOU: open\s+(http://127\.0\.0\.1:\d+/you/\S+)")[1]
        demo.wait_for(r"ssh -L|press a key")
        with httpx.Client(follow_redirects=True, trust_env=False, timeout=30) as browser:
            page = browser.get(link)
            assert (page.status_code, page.url.path) == (200, "/console/lane")
            assert OPENING in page.text
        again = subprocess.run(demo.process.command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (again.returncode, again.stdout, again.stderr.count("\n")) == (1, "", 1)
        assert re.match(rf"A demo already runs here \(process {demo.process.pid}\): open http://", again.stderr)
        judge(demo, "negative")
        demo.wait_for(r"answered in \d+ ms: corrected")
        demo.wait_for(r"(?s)switch sentiment\.automated off and watch the next ten wait.*One link a role.*admin")
        assert demo.process.stop(signal.SIGINT) == 0
    assert "make demo" in demo.printed
    assert f"rm -rf {demo.home}" in demo.printed
    assert demo.servers() == []


def judge(demo: Demo, answer: str) -> None:
    """Give the verdict on the case in hand, as a program with the newcomer's key does."""
    url, key = re.findall(r"LOCKGATE_URL=(\S+) LOCKGATE_TOKEN=(\S+)", (demo.home / "lockgate").read_text())[0]
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, trust_env=False, timeout=30) as api:
        claim = api.get("/api/v1/claims").raise_for_status().json()[0]
        verdict = {"kind": "correct", "answer": answer, "token": claim["token"], "post_key": claim["id"]}
        api.post(f"/api/v1/claims/{claim['id']}/verdict", json=verdict).raise_for_status()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_play_that_is_ended_in_the_middle_leaves_no_process(start: Callable[..., Demo], how: signal.Signals) -> None:
    """Ctrl-C while the server starts ends both in order; where the play is killed, the server ends by itself."""
    if how == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only the kernel of Linux tells a process that its parent was killed")
    demo = start("--once")
    demo.process.wait_until(lambda: bool(demo.servers()), "a server", PATIENCE_S)
    status = demo.process.stop(how)
    if how == signal.SIGINT:
        assert status == 130
        assert "nothing of it runs any more" in demo.printed
    until(lambda: not demo.servers(), "the end of the server", 40)
