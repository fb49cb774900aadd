"""Where a model runs that does not run here: its address, and which servers may be called at all. Pure.

An address is `grpc://HOST:PORT/MODEL`, with `/versions/N` behind it where one version is meant; the schemes are http,
https, grpc and grpcs. Only an origin that whoever runs this server named is ever called, so that nobody who may add
models makes it call what it can reach and they cannot.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal, cast

import msgspec

from gateway.inference.upstream_errors import UpstreamAddressWrong, UpstreamNotAllowed
from gateway.protocol.signature import Signature

Scheme = Literal["http", "https", "grpc", "grpcs"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_ORIGIN = r"(?P<scheme>https?|grpcs?)://(?P<place>(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5})"
_ADDRESS = re.compile(rf"{_ORIGIN}(/(?P<model>{_NAME})(/versions/(?P<version>[A-Za-z0-9._-]{{1,20}}))?)?/?")
_ALLOWED = re.compile(r"(?P<scheme>https?|grpcs?)://(:(?P<key>[^@\s]+)@)?(?P<place>[^@/\s]+:\d{1,5})/?")


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """A model on another server that speaks the Open Inference Protocol."""

    scheme: Scheme
    place: str
    """Host and port."""
    model: str
    version: str | None
    signature: Signature
    """As it was when it was admitted."""

    @property
    def origin(self) -> str:
        """The server."""
        return f"{self.scheme}://{self.place}"

    @property
    def address(self) -> str:
        """The model, as an operator writes it."""
        return f"{self.origin}/{self.model}" + (f"/versions/{self.version}" if self.version else "")

    @property
    def description(self) -> bytes:
        """All that is known of it, the same bytes each time: what stands in a bundle in the place of a model file."""
        return msgspec.json.encode(self, order="deterministic")

    @property
    def digest(self) -> str:
        """The SHA-256 of its description."""
        return sha256(self.description).hexdigest()

    @property
    def key(self) -> str:
        """What its session is known by: two models of ours may know one of theirs by different signatures."""
        return f"{self.address}#{sha256(msgspec.json.encode(self.signature)).hexdigest()}"

    def with_signature(self, signature: Signature) -> "Upstream":
        """The same model with the signature that it is served with."""
        return msgspec.structs.replace(self, signature=signature)


def upstream_at(address: str, model: str) -> Upstream:
    """The upstream of this address, whose signature nobody has read yet; without a path the model is named like ours.

    Raises: UpstreamAddressWrong.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UpstreamAddressWrong(address=address[:120])
    return Upstream(
        scheme=cast(Scheme, found["scheme"]),
        place=found["place"].lower(),
        model=found["model"] or model,
        version=found["version"],
        signature=Signature(inputs=(), outputs=()),
    )


class AllowedUpstreams(msgspec.Struct, frozen=True, kw_only=True):
    """The servers that may be called, and what bounds a call."""

    keys: Mapping[str, str] = {}
    """The key that is sent to each, by its origin; empty where none is."""
    within_s: float = 30.0
    """How long a call may take."""
    answer_max_bytes: int = 256 * 1024 * 1024
    evaluation_calls_per_s: float = 50.0
    """How many calls a second an evaluation makes at most; it has no caller who waits."""

    def key_of(self, origin: str) -> str:
        """The key that is sent to a server. Raises: UpstreamNotAllowed."""
        if origin not in self.keys:
            raise UpstreamNotAllowed(origin=origin)
        return self.keys[origin]


def allowed_keys(text: str) -> dict[str, str]:
    """The origins in a setting, each with its key: `grpc://triton:8001 http://:KEY@other:8000`.

    Raises: UpstreamAddressWrong.
    """
    keys: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        found = _ALLOWED.fullmatch(word)
        if found is None:
            raise UpstreamAddressWrong(address=word.rpartition("@")[2][:120])
        keys[f"{found['scheme']}://{found['place'].lower()}"] = found["key"] or ""
    return keys
