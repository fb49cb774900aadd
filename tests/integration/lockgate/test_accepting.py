"""Gateways on one socket, each with a loop of its own: whoever has more connections than another lets it go first."""

import asyncio
import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from lockgate import accepting
from lockgate.tally import Tally, shared_rows
from lockgate.web import serving
from tests.servers.process import until

BURST = 64
LISTEN = 2048


class App:
    """Answers with the body it was sent."""

    async def __call__(self, _scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
        await send(head)
        await send({"type": "http.response.body", "body": body})


class Gateway:
    """A server in a thread with a loop of its own; it can be kept from doing anything."""

    def __init__(self, listener: socket.socket, tally: Tally) -> None:
        self._listener, self._tally = listener, tally
        self._ended, self._began = Future[None](), Future[asyncio.AbstractEventLoop]()
        self._goes_on = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._loop = self._began.result(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with serving(App(), self._listener.dup(), drain_s=1, tally=self._tally):
            self._began.set_result(asyncio.get_running_loop())
            await asyncio.wrap_future(self._ended)

    def end(self) -> None:
        """Take no more connections and end."""
        self._goes_on.set()
        self._ended.set_result(None)
        self._thread.join(10)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Nothing is done by it meanwhile."""
        hangs = threading.Event()

        def hang() -> None:
            hangs.set()
            self._goes_on.wait()

        self._goes_on.clear()
        self._loop.call_soon_threadsafe(hang)
        assert hangs.wait(10)
        try:
            yield
        finally:
            self._goes_on.set()

    @property
    def connections(self) -> int:
        """What it last said it has."""
        return self._tally._values[2 * self._tally._row]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket to connect to."""
    with socket.create_server(("127.0.0.1", 0), backlog=LISTEN) as bound:
        bound.setblocking(False)
        yield bound


@pytest.fixture
def pair(listener: socket.socket) -> Iterator[tuple[Gateway, Gateway]]:
    """Two gateways on the socket."""
    rows = shared_rows(2)
    one, two = (Gateway(listener, Tally(rows, row, 2)) for row in range(2))
    yield one, two
    for gateway in (one, two):
        if gateway._thread.is_alive():
            gateway.end()
    os.close(rows)


@contextlib.contextmanager
def burst(listener: socket.socket, size: int = BURST) -> Iterator[list[socket.socket]]:
    """So many connections at once; all have been answered to."""
    clients = [socket.create_connection(listener.getsockname(), timeout=10) for _ in range(size)]
    try:
        for client in clients:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        for client in clients:
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        yield clients
    finally:
        for client in clients:
            client.close()


def test_a_burst_is_spread_over_both(pair: tuple[Gateway, Gateway], listener: socket.socket) -> None:
    """A pool that is opened at once does not stay with whoever woke first; neither does the next one."""
    for _ in range(2):
        with burst(listener):
            until(lambda: sum(each.connections for each in pair) == BURST, "every connection")
            assert min(each.connections for each in pair) >= BURST // 4
        until(lambda: not any(each.connections for each in pair), "the end of every connection")


def test_who_has_fewer_gets_the_next_ones(pair: tuple[Gateway, Gateway], listener: socket.socket) -> None:
    """A gateway that hung while others connected catches up as soon as it goes on."""
    one, two = pair
    with contextlib.ExitStack() as held:
        with one.hanging():
            held.enter_context(burst(listener, 20))
        until(lambda: two.connections == 20, "all of them at the other one")
        held.enter_context(burst(listener, 20))
        until(lambda: one.connections + two.connections == 40, "every connection")
        assert one.connections >= 15


def test_one_after_the_other_goes_to_who_has_fewer(
    pair: tuple[Gateway, Gateway], listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing is left to take after the moment: what was taken by another changes nothing for the next."""
    monkeypatch.setattr(accepting, "MOMENT_S", 0.3)
    one, two = pair
    with contextlib.ExitStack() as held:
        with one.hanging():
            held.enter_context(burst(listener, 20))
        until(lambda: two.connections == 20, "all of them at the other one")
        until(lambda: two._tally.fewest() == 0, "a word of the one that goes on")
        for _ in range(4):
            held.enter_context(burst(listener, 1))
            time.sleep(0.4)  # until the other one listens again
        until(lambda: one.connections == 4, "all the others")
        assert two.connections == 20


def test_who_has_gone_is_not_waited_for(pair: tuple[Gateway, Gateway], listener: socket.socket) -> None:
    """The one that is left takes everything, without leaving anything to the other first."""
    one, two = pair
    one.end()
    with burst(listener):
        until(lambda: two.connections == BURST, "every connection")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS])
def test_a_process_without_files_waits(
    pair: tuple[Gateway, Gateway], listener: socket.socket, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Where none can be opened the loop is not kept busy by asking for it; later the connections are taken."""
    tries = []

    def full(acceptor: accepting.Acceptor) -> socket.socket:
        tries.append(acceptor)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(accepting, "FULL_S", 0.2)
        patched.setattr(accepting.Acceptor, "_accept", full)
        client = socket.create_connection(listener.getsockname(), timeout=10)
        until(lambda: len(tries) >= 2, "two tries")
    assert len(tries) <= 8
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 200")
    client.close()


@asynccontextmanager
async def transport_of(listener: socket.socket, tally: Tally | None) -> AsyncIterator[list[Any]]:
    """What a server has of each connection."""
    made: list[Any] = []

    class Seen(App):
        async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
            made.append((receive.__self__.transport, scope["client"], scope["server"]))
            await super().__call__(scope, receive, send)

    async with serving(Seen(), listener.dup(), drain_s=1, tally=tally):
        yield made


def test_a_connection_is_as_any_other(listener: socket.socket) -> None:
    """Small answers leave at once, peers are known, and a large body comes back whole, whoever accepted."""
    rows = shared_rows(1)
    for tally in (None, Tally(rows, 0, 1)):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asked(listener, tally))
    os.close(rows)


async def asked(listener: socket.socket, tally: Tally | None) -> None:
    """Send much over one connection, and look at the server's side of it."""
    body = os.urandom(3_000_000)
    async with transport_of(listener, tally) as made:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(body)) == body
        ((transport, client, server),) = made
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert (client, server) == (writer.get_extra_info("sockname"), listener.getsockname())
        writer.close()


async def test_who_is_let_in_at_the_very_end_is_told_to_go(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is still being made when the gateway ends does not keep it from ending."""
    rows = shared_rows(1)
    accepted = asyncio.Event()
    accept = accepting.Acceptor._accept

    def noticed(acceptor: accepting.Acceptor) -> socket.socket:
        accepted.set()
        return accept(acceptor)

    monkeypatch.setattr(accepting.Acceptor, "_accept", noticed)
    acceptors: list[accepting.Acceptor] = []
    begin = accepting.Acceptor.__init__

    def kept(acceptor: accepting.Acceptor, *arguments: Any) -> None:
        acceptors.append(acceptor)
        begin(acceptor, *arguments)

    monkeypatch.setattr(accepting.Acceptor, "__init__", kept)
    async with serving(App(), listener.dup(), drain_s=5, tally=Tally(rows, 0, 1)):
        client = socket.create_connection(listener.getsockname(), timeout=10)
        await accepted.wait()
        acceptors[0].close()  # in the turn in which it was accepted
        assert await asyncio.to_thread(client.recv, 1) == b""
    client.close()
    os.close(rows)
