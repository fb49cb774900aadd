"""The small decisions around processes, contexts and logs."""

import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.children import pause_s
from lockgate.contexts import DEFAULT_URL, Context, Contexts, choose, read_contexts, write_contexts
from lockgate.environment import ClientSettings
from lockgate.errors import PortTaken, StillRunning, UnknownContext
from lockgate.health import Dependency, ProcessHealth, together
from lockgate.listeners import address_of, bind, reserve
from lockgate.logs import mask_keys
from lockgate.presence import alone, present
from lockgate.processes.order import Order, decode_order, encode_order
from lockgate.settings import Settings
from lockgate.supervisor import gateways_go_first

NAMES = st.text(min_size=1, max_size=20)


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 0.1), (2, 0.2), (3, 0.4), (8, 10.0), (10_000, 10.0)])
def test_a_child_that_keeps_dying_waits_longer_and_longer(deaths: int, seconds: float) -> None:
    """The pause doubles up to ten seconds."""
    assert pause_s(deaths) == pytest.approx(seconds)


def test_an_order_survives_its_line() -> None:
    """What a supervisor writes is what its child reads, settings included."""
    order = Order(
        kind="gateway",
        name="gateway-1",
        settings=Settings(data_directory=Path("/data"), database_url="postgresql+asyncpg://a:b@c/d"),
        http_descriptor=5,
        monitor_descriptor=6,
        console_url="http://127.0.0.1:1",
        grpc_address="127.0.0.1:2",
        supervisor_pid=7,
    )
    assert decode_order(encode_order(order)) == order


def test_a_taken_port_is_one_sentence_that_says_what_to_do() -> None:
    """The address, the setting and the variable are named."""
    with bind("127.0.0.1:0", "http_address") as listener:
        address = address_of(listener)
        with pytest.raises(PortTaken) as caught:
            bind(address, "http_address")
    assert address in str(caught.value)
    assert "LOCKGATE_HTTP_ADDRESS" in str(caught.value)


def test_an_address_is_held_for_those_who_share_it() -> None:
    """Processes of ours may listen where it was reserved; who would reserve it again finds it taken by them."""
    with reserve("127.0.0.1:0", "grpc_address") as reserved, socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ours.bind(reserved.getsockname())
        ours.listen()
        with pytest.raises(PortTaken) as caught:
            reserve(address_of(reserved), "grpc_address")
    assert "LOCKGATE_GRPC_ADDRESS" in str(caught.value)


def test_the_worst_part_is_the_health_of_all() -> None:
    """One process that is not ready, or one dependency that is down, makes the whole degraded."""
    well = ProcessHealth(process="a", ready=True, state="ready", dependencies=(Dependency(name="ledger", state="up"),))
    unready = ProcessHealth(process="b", ready=False, state="starting")
    hurt = ProcessHealth(
        process="c", ready=True, state="ready", dependencies=(Dependency(name="ledger", state="down: gone"),)
    )
    assert together([well]).state == "ok"
    assert together([well, unready]).state == "degraded"
    assert together([well, hurt]).state == "degraded"


@given(st.dictionaries(NAMES, st.builds(Context, url=NAMES, token=NAMES), max_size=4), NAMES)
def test_contexts_survive_their_file(
    tmp_path_factory: pytest.TempPathFactory, contexts: dict[str, Context], current: str
) -> None:
    """Whatever names, addresses and keys are made of, they are read as they were written."""
    path = tmp_path_factory.mktemp("contexts") / "contexts.toml"
    kept = Contexts(current=current, contexts=contexts)
    write_contexts(path, kept)
    assert read_contexts(path) == kept


def test_contexts_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """The file with keys has the mode 0600, also where a readable one was before."""
    path = tmp_path / "lockgate" / "contexts.toml"
    path.parent.mkdir()
    path.write_text("")
    path.chmod(0o644)
    write_contexts(path, Contexts().having("x", Context(url="http://x", token="lg_secret")))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "name", "environment_url", "environment_token", "chosen"),
    [
        (None, None, "", "", Context(url="http://home", token="lg_home")),
        (None, "work", "", "", Context(url="http://work", token="lg_work")),
        (None, None, "http://ci", "lg_ci", Context(url="http://ci", token="lg_ci")),
        ("http://home/", None, "", "", Context(url="http://home", token="lg_home")),
        ("http://stranger", None, "", "", Context(url="http://stranger", token="")),
    ],
    ids=["current", "named", "variables", "same-server", "a kept key goes to no other server"],
)
def test_which_server_is_talked_to(
    url: str | None, name: str | None, environment_url: str, environment_token: str, chosen: Context, tmp_path: Path
) -> None:
    """Options count before variables, variables before the file."""
    path = tmp_path / "contexts.toml"
    known = {"home": Context(url="http://home", token="lg_home"), "work": Context(url="http://work", token="lg_work")}
    write_contexts(path, Contexts(current="home", contexts=known))
    settings = ClientSettings(url=environment_url, token=environment_token, contexts_file=path)
    assert choose(settings, url, name) == chosen


def test_without_contexts_this_machine_is_talked_to(tmp_path: Path) -> None:
    """A fresh machine needs no set-up; an unknown context is named."""
    settings = ClientSettings(contexts_file=tmp_path / "none.toml")
    assert choose(settings, None, None) == Context(url=DEFAULT_URL)
    with pytest.raises(UnknownContext, match="prod"):
        choose(settings, None, "prod")


def test_a_key_never_reaches_the_log() -> None:
    """Whatever field a key slips into, it is cut short."""
    event = mask_keys(None, "info", {"event": "x", "header": "Bearer lg_FZqrdYaK0dIxSmg_RNHruDn1SoFMhC", "n": 1})
    assert event == {"event": "x", "header": "Bearer lg_••••", "n": 1}


def test_a_data_directory_is_shared_by_processes_and_left_alone_by_who_restores(tmp_path: Path) -> None:
    """Any number of processes may be there; somebody alone is refused while one is, and keeps others out."""
    with present(tmp_path), present(tmp_path), pytest.raises(StillRunning), alone(tmp_path):
        pass
    with alone(tmp_path), pytest.raises(StillRunning), present(tmp_path):
        pass


@pytest.mark.parametrize(
    ("gateways", "cores", "first"),
    [(1, 1, True), (2, 2, True), (3, 2, True), (1, 2, False)],
    ids=["one processor", "a processor each", "too few processors", "one to spare"],
)
def test_who_starts_first(gateways: int, cores: int, first: bool) -> None:
    """The console waits for gateways that start unless there is a processor that none of them needs."""
    assert gateways_go_first(gateways, cores) is first
