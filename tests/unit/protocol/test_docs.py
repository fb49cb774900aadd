"""The documentation of the protocol and of admission tells every error."""

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.http import compression
from gateway.inference.refusals import AdmissionRefused
from gateway.protocol.decode import Limits
from gateway.protocol.errors import OutputNotFinite, ProtocolError

DOCS = Path(__file__).parents[3] / "docs"


def row(error: type[GatewayError]) -> str:
    """The message as a table cell prints it."""
    return " ".join((error.__doc__ or "").split()).replace("{{", "{").replace("}}", "}")


COMPRESSION = [kind for kind in vars(compression).values() if getattr(kind, "__module__", "") == compression.__name__]
REFUSALS = [kind for kind in COMPRESSION if isinstance(kind, type) and issubclass(kind, GatewayError)]


@pytest.mark.parametrize("error", [*ProtocolError.__subclasses__(), OutputNotFinite, *REFUSALS])
def test_every_protocol_error_is_documented(error: type[GatewayError]) -> None:
    """docs/protocol.md has each code with its status and message."""
    assert f"| `{error.code}` | {error.status} | {row(error)} |" in (DOCS / "protocol.md").read_text()


@pytest.mark.parametrize("refusal", AdmissionRefused.__subclasses__())
def test_every_refusal_is_documented(refusal: type[GatewayError]) -> None:
    """docs/admission.md has each code with its message and remedy."""
    assert f"| `{refusal.code}` | {row(refusal)} |" in (DOCS / "admission.md").read_text()


def test_the_limits_are_documented() -> None:
    """docs/protocol.md states the limits as they are."""
    text = (DOCS / "protocol.md").read_text()
    assert f"{Limits().body_max_bytes:,}" in text
    assert f"{Limits().elements_max:,}" in text
