"""Sockets, bound before any process starts, so that a taken port is one sentence and not a stack."""

import errno
import socket

from lockgate.errors import AddressUnusable, PortTaken

BACKLOG = 2048
LOOPBACK = "127.0.0.1:0"


def bind(address: str, setting: str) -> socket.socket:
    """A listening socket on HOST:PORT. Raises: PortTaken, AddressUnusable."""
    listener = _bound(address, setting, shared=False)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def reserve(address: str, setting: str) -> socket.socket:
    """A socket that holds HOST:PORT for the processes that will share it, and takes no connection itself.

    Where somebody else listens, even one who would share it, the port is taken. Raises: PortTaken, AddressUnusable.
    """
    bind(address, setting).close()
    return _bound(address, setting, shared=True)


def _bound(address: str, setting: str, *, shared: bool) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise AddressUnusable(address=address, setting=setting, why=_why(error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(where)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortTaken(address=address, setting=setting, variable=setting.upper()) from error
        raise AddressUnusable(address=address, setting=setting, why=_why(error)) from error
    return listener


def adopt(descriptor: int) -> socket.socket:
    """The listening socket that a parent process bound."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """HOST:PORT of a bound socket."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
