"""What a supervisor tells a child, as one line on its standard input; secrets so reach neither arguments nor
environment."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from lockgate.settings import Settings

Kind = Literal["gateway", "console", "worker"]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Which row of the gateways' tally is this process's own, and where the tally is."""

    descriptor: int
    row: int
    rows: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Which process to be, with which settings, on which inherited sockets."""

    kind: Kind
    name: str
    """Such as `gateway-1`; the label of its metrics and log lines."""
    settings: Settings
    http_descriptor: int | None
    monitor_descriptor: int
    console_url: str
    grpc_address: str = ""
    """Where to speak gRPC, reserved by whoever gives the order; none where it is empty."""
    share: Share | None = None
    """None where no other process accepts on the same socket."""
    with_worker: bool = False
    supervisor_pid: int | None = None


def encode_order(order: Order) -> bytes:
    """The order on one line."""
    return msgspec.json.encode(order, enc_hook=str) + b"\n"


def decode_order(line: bytes) -> Order:
    """The order that a supervisor wrote."""
    return msgspec.json.decode(line, type=Order, dec_hook=_decode)


def _decode(kind: type, value: Any) -> Any:
    return kind(value) if kind is Path else value
