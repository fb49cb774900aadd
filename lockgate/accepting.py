"""Takes connections from a socket that gateways share, so that none of them has many more than another.

Left to whichever process wakes first, a pool of 64 connections that is opened at once goes to one of two gateways, and
stays there for as long as it lives, while the other has nothing to do. So a gateway that has more than another leaves
what comes to it, for a moment: where nobody takes it meanwhile, it does.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sized

import structlog

from lockgate.bounded import Bounded
from lockgate.tally import GONE, Tally

log = structlog.get_logger()
MOMENT_S = 0.001
"""For how long a connection is left to others."""
FULL_S = 1.0
"""How long a process rests that cannot open any more files."""
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Acceptor:
    """Accepts for one gateway, one connection a turn of its loop."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], Bounded], present: Sized, tally: Tally) -> None:
        """`present` are the connections that were made and not lost."""
        self._listener, self._protocol, self._present, self._tally = listener, protocol, present, tally
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False
        self._loop.add_reader(listener.fileno(), self._come)
        self.tell()

    def tell(self) -> None:
        """Tell the others how many connections are here."""
        self._tally.say(self._here)

    def close(self) -> None:
        """Take no more; what is here stays."""
        self._closed = True
        self._loop.remove_reader(self._listener.fileno())
        if self._pause is not None:
            self._pause.cancel()
        self._tally.say(GONE)

    async def wait_closed(self) -> None:
        """Return once nothing is being opened."""
        await asyncio.gather(*self._opening, return_exceptions=True)

    @property
    def _here(self) -> int:
        return len(self._present) + len(self._opening)

    def _come(self) -> None:
        """Somebody wants to connect: take the connection, or leave it to others for a moment."""
        if self._others_have_fewer():
            self._rest(MOMENT_S)
        else:
            self._take()

    def _take(self) -> None:
        """Take a connection, if there still is one."""
        try:
            connection = self._accept()
        except OSError as error:  # mostly that another gateway took it, or that its client has gone
            if error.errno in _NO_ROOM:
                log.error("connections_not_accepted", why=error.strerror, pause_s=FULL_S)
                self._rest(FULL_S)
            return
        opening = self._loop.create_task(self._open(connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        self.tell()

    def _accept(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        return connection

    def _others_have_fewer(self) -> bool:
        """Whether another has fewer by more than an eighth: it is woken as this one is."""
        fewest = self._tally.fewest()
        return fewest is not None and self._here - fewest > max(1, fewest // 8)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._pause = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        """Take what nobody took meanwhile, and listen again."""
        self._loop.add_reader(self._listener.fileno(), self._come)
        self._take()

    async def _open(self, connection: socket.socket) -> None:
        try:
            _, protocol = await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # its client has gone
            connection.close()
            return
        if self._closed:  # meanwhile, and all who were here have been told
            protocol.shutdown()
