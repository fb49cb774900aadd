"""`lockgate serve` and its commands as real processes, known only from outside."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.process import until

LIVE_S = 60.0

LEASE_HELD = 'lockgate_worker_lease_held{process="console"} 1'


def health(server: Lockgate) -> dict[str, dict[str, object]]:
    """Each process by its name, as the health page shows it."""
    page = httpx.get(f"{server.monitor_url}/health", timeout=10).json()
    return {process["process"]: process for process in page["processes"]}


def metrics(server: Lockgate) -> str:
    """The numbers of all its processes."""
    return httpx.get(f"{server.monitor_url}/metrics", timeout=10).text


def events(server: Lockgate, name: str) -> list[dict[str, object]]:
    """The log events of a name."""
    lines = [json.loads(line) for line in server.process.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def test_one_command_runs_everything(shared_lockgate: Lockgate) -> None:
    """The health page names each process, and its metrics stand side by side with the process as a label."""
    processes = health(shared_lockgate)
    assert set(processes) == {"gateway-1", "console"}
    assert all(process["ready"] for process in processes.values())
    until(lambda: LEASE_HELD in metrics(shared_lockgate), "the worker has its lease")
    text = metrics(shared_lockgate)
    assert 'lockgate_child_up{child="gateway-1",process="supervisor"} 1' in text
    assert 'lockgate_dependency_up{dependency="ledger",process="gateway-1"} 1' in text
    assert text.count("# TYPE lockgate_dependency_up ") == 1
    assert httpx.get(f"{shared_lockgate.monitor_url}/health/live", timeout=10).json() == {"live": True}


def test_processes_are_of_one_session_and_gateways_go_first_in_it(shared_lockgate: Lockgate) -> None:
    """Linux may weigh whole sessions against each other, whatever niceness says; Ctrl-C still reaches none of them."""
    pids = {name: pid for name, pid in shared_lockgate.processes().items() if pid}
    supervisor = psutil.Process(pids["gateway-1"]).ppid()
    assert {os.getsid(pid) for pid in pids.values()} == {os.getsid(supervisor)}
    assert len({os.getpgid(pid) for pid in (*pids.values(), supervisor)}) == 3
    assert psutil.Process(pids["console"]).nice() == psutil.Process(pids["gateway-1"]).nice() + 5


def test_one_address_serves_the_protocol_and_the_api(shared_lockgate: Lockgate) -> None:
    """The gateway answers `/v2` itself and passes the API on to the console; no server names itself."""
    with shared_lockgate.client() as client:
        assert client.get("/v2/health/ready").json()["ready"] is True
        me = client.get("/api/v1/me")
        assert me.json()["email"] == "ada@example.org"
        assert "server" not in me.headers


def test_each_request_is_one_event_without_keys_links_or_addresses(shared_lockgate: Lockgate) -> None:
    """The log names the route, who and how long; neither a key nor the path of a link stands in it."""
    shared_lockgate.run("people", "list")
    (seen, *_) = [event for event in events(shared_lockgate, "request") if event.get("route") == "/api/v1/people"]
    assert (seen["status"], seen["by"], seen["process"]) == (200, "person:ada@example.org", "console")
    text = shared_lockgate.process.log.read_text()
    assert shared_lockgate.key not in text
    assert "/join/" not in text.replace("/console/join/{token}", "")


def test_a_taken_port_is_one_sentence(shared_lockgate: Lockgate) -> None:
    """A second start on the same address says who is in the way and what to type, and leaves the first alone."""
    second = shared_lockgate.run("serve", check=False)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"127.0.0.1:{shared_lockgate.port}" in second.stderr
    assert "LOCKGATE_HTTP_ADDRESS" in second.stderr
    assert shared_lockgate.ready()


EXIT_CODES = [
    (("people", "list"), 0, "done"),
    (("keys", "add", "x", "--scope", "bogus"), 1, "refused by the server"),
    (("keys", "add"), 2, "wrong usage"),
    (("nothing",), 2, "no such command"),
    (("contexts", "use", "nowhere"), 3, "an unknown context"),
    (("people", "grant", "nobody@example.org", "lead"), 3, "nobody of that name"),
    (("people", "revoke", "ada@example.org", "admin"), 5, "the last admin"),
    (("people", "list", "--url", "http://127.0.0.1:1"), 6, "nobody answers there"),
    (("recover",), 5, "a process still runs"),
]


@pytest.mark.parametrize(("words", "code", "word"), EXIT_CODES, ids=[word for _, _, word in EXIT_CODES])
def test_a_command_ends_with_its_documented_code(
    shared_lockgate: Lockgate, words: tuple[str, ...], code: int, word: str
) -> None:
    """And a failure is a sentence on standard error, never a stack."""
    done = shared_lockgate.run(*words, check=False)
    assert done.returncode == code, f"{word}: {done.stderr}"
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == (code != 0)


def test_who_may_not_is_told_so_with_its_own_code(shared_lockgate: Lockgate) -> None:
    """4 for a missing permission and for a key that is none; the sentence says what is needed."""
    link = shared_lockgate.run("people", "invite", "--role", "reviewer").stdout.strip()
    person = {"name": "Rita", "email": "rita@example.org", "password": "a long pass phrase of the tests"}
    admin, shared_lockgate.key = shared_lockgate.key, shared_lockgate.join(link, **person)
    try:
        refused = shared_lockgate.run("people", "list", check=False)
        shared_lockgate.key = "lg_made_up"
        unknown = shared_lockgate.run("people", "list", check=False)
    finally:
        shared_lockgate.key = admin
    assert (refused.returncode, unknown.returncode) == (4, 4)
    assert "admin" in refused.stderr
    assert "lockgate login" in unknown.stderr


def test_an_unknown_setting_ends_the_start(tmp_path: Path) -> None:
    """The nearest name is offered."""
    environment = {**os.environ, "LOCKGATE_HTTP_ADRESS": "x"}
    done = subprocess.run(
        [sys.executable, "-m", "lockgate", "serve"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "LOCKGATE_HTTP_ADDRESS" in done.stderr


def test_logging_in_keeps_a_key_and_commands_use_it(shared_lockgate: Lockgate) -> None:
    """A key from standard input is tried, kept for its owner alone, and used by the next command."""
    key, shared_lockgate.key = shared_lockgate.key, ""
    try:
        login = shared_lockgate.run("login", "--url", shared_lockgate.url, text=f"{key}\n")
        assert "Ada Admin" in login.stderr
        assert "ada@example.org" in shared_lockgate.run("people", "list").stdout
        assert key not in shared_lockgate.run("contexts", "--json").stdout
    finally:
        shared_lockgate.key = key
        shared_lockgate.run("contexts", "remove", "default")


def test_config_shows_every_setting_and_its_source(shared_lockgate: Lockgate) -> None:
    """Whoever asks sees where a value comes from."""
    shown = {line["name"]: line for line in shared_lockgate.json("config")}
    assert shown["http_address"]["source"] == "LOCKGATE_HTTP_ADDRESS"
    assert shown["gateways"]["source"] == "default"


def test_doctor_finds_a_running_server_well(shared_lockgate: Lockgate) -> None:
    """Nothing is bad; what is missing in a fresh place is a warning with what to type."""
    findings = {finding["part"]: finding for finding in shared_lockgate.json("doctor")}
    assert findings["server"]["level"] == "ok"
    assert findings["people"]["level"] == "ok"
    assert "lockgate models add" in findings["models"]["do"]
    assert not any(finding["level"] == "bad" for finding in findings.values())


@pytest.mark.parametrize("name", ["gateway-1", "gateway-2", "console"])
def test_a_dead_process_is_restarted_and_shown(name: str, two_gateways: Lockgate) -> None:
    """The others serve on; the health page, the metrics and the log tell of it."""
    before = health(two_gateways)[name]["restarts"]
    dead = two_gateways.processes()[name]
    two_gateways.kill_process(name)
    until(lambda: two_gateways.processes().get(name, dead) != dead, f"another {name}", LIVE_S)
    until(lambda: bool(health(two_gateways)[name]["ready"]), f"{name} is ready again", LIVE_S)
    assert health(two_gateways)[name]["restarts"] == int(str(before)) + 1
    assert any(event["child"] == name for event in events(two_gateways, "child_died"))
    text = httpx.get(f"{two_gateways.monitor_url}/metrics", timeout=10).text
    assert f'lockgate_child_restarts_total{{child="{name}",process="supervisor"}} 1' in text


@pytest.fixture(scope="module")
def two_gateways(tmp_path_factory: pytest.TempPathFactory) -> "object":
    """A server with two gateway processes on one socket."""
    with running_lockgate(tmp_path_factory.mktemp("two"), gateways=2) as server:
        yield server


def test_sigterm_ends_every_process_in_order(tmp_path: Path) -> None:
    """Gateways first, the console after them, the supervisor last and with 0; the same data starts again."""
    with running_lockgate(tmp_path) as server:
        children = list(server.processes().values())
        assert server.stop() == 0
        assert not any(map(psutil.pid_exists, children))
        drained = [event["process"] for event in events(server, "process_ended")]
        assert drained == ["gateway-1", "console"]
        server.start()
        assert "ada@example.org" in server.run("people", "list").stdout


def test_ctrl_c_is_as_good_as_sigterm(tmp_path: Path) -> None:
    """SIGINT to the supervisor ends everything with 0."""
    with running_lockgate(tmp_path) as server:
        assert server.process.stop(signal.SIGINT) == 0


def test_no_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """After a crash the ports are free, and the next start has everything that was acknowledged."""
    with running_lockgate(tmp_path) as server:
        server.kill()
        server.start()
        assert "ada@example.org" in server.run("people", "list").stdout


def test_a_running_server_is_backed_up_and_restored_by_command(tmp_path: Path) -> None:
    """What the backup took while everything ran is there in the restored server, its admin and key included."""
    with running_lockgate(tmp_path) as server:
        server.run("backup", tmp_path / "backup.tar")
        refused = server.run("restore", tmp_path / "backup.tar", check=False)
        assert refused.returncode == 5
        key = server.key
    again = Lockgate(tmp_path, data_directory=tmp_path / "restored")
    again.run("restore", tmp_path / "backup.tar")
    again.start()
    try:
        again.key = key
        assert "ada@example.org" in again.run("people", "list").stdout
    finally:
        again.stop()


def test_it_can_be_ended_while_it_starts(tmp_path: Path) -> None:
    """SIGTERM before anything is ready ends every process, with 0."""
    server = Lockgate(tmp_path)
    server.process.start()
    server.process.wait_until(lambda: bool(server.processes()), "a process was started", LIVE_S)
    children = list(server.processes().values())
    assert server.stop() == 0
    assert not any(map(psutil.pid_exists, children))
    assert not server.process.said("Lockgate is up")
