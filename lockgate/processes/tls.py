"""The certificate of the gRPC listener, read when a process starts."""

from pathlib import Path
from typing import TYPE_CHECKING

from lockgate.errors import UnreadableFile, WrongSetting
from lockgate.settings import Settings

if TYPE_CHECKING:
    from gateway.grpc.server import Tls


def grpc_tls(settings: Settings) -> "Tls | None":
    """Certificate and key; None where none are named. Raises: WrongSetting, UnreadableFile."""
    from gateway.grpc.server import Tls

    certificate, private_key = settings.grpc_certificate, settings.grpc_private_key
    if not certificate and not private_key:
        return None
    if not (certificate and private_key):
        raise WrongSetting(
            name="grpc_certificate", why="it and grpc_private_key belong together", source="one of them is empty"
        )
    return Tls(certificate=_read(certificate), private_key=_read(private_key))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UnreadableFile(path=path, why=error.strerror or "it is not there") from error
