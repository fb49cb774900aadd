"""Ports that nobody listens on, near the ones that the documentation names."""

import socket

from demo.errors import NoFreePort

TRIES = 100


def free_port(wanted: int, taken: frozenset[int] = frozenset(), host: str = "127.0.0.1") -> int:
    """`wanted`, or the next of the hundred ports after it that is free and not in `taken`.

    Somebody may take it before the server does; the server then says so itself.
    """
    last = min(wanted + TRIES, 65_535)
    for port in range(wanted, last + 1):
        if port not in taken and _is_free(host, port):
            return port
    raise NoFreePort(first=wanted, last=last)


def free_ports(wanted: tuple[int, ...], host: str = "127.0.0.1") -> tuple[int, ...]:
    """As many different free ports as were wanted, in the same order."""
    chosen: list[int] = []
    for port in wanted:
        chosen.append(free_port(port, frozenset(chosen), host))
    return tuple(chosen)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server binds: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
