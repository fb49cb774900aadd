"""What a card says about the session of its model: by which provider, with how many threads, how large. Pure."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.inference.providers import CPU, Name, ProviderOptions
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

FACTOR = 2
"""Weights lie in memory as in the file and, for the kernels that want them so, packed a second time."""
BESIDE_BYTES = 16 << 20
"""What a session takes beside its weights: the graph, buffers, its thread."""

Size = Annotated[int, Meta(ge=ANY_SIZE, le=1 << 31)]


class SessionWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a model wants to be run."""

    providers: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=4)] = (CPU,)
    """The first of these that the machine has; the ones behind it take what it cannot run."""
    options: ProviderOptions = ProviderOptions()
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """Threads of one run; the setting `model_threads` where the card says nothing."""
    memory_bytes: Annotated[int, Meta(ge=1)] | None = None
    """What an open session takes, where the owner knows better than the rule."""
    usual: dict[str, tuple[Size, ...]] = {}
    """The usual shape of inputs with free sizes, -1 where items lie: warm-up uses these."""

    @property
    def taken(self) -> "SessionWish":
        """The part of it that makes one session differ from another."""
        return msgspec.structs.replace(self, memory_bytes=None)


PLAIN = SessionWish()


def session_key(artifact: str, wish: SessionWish) -> str:
    """What a session is known by: the digest of its file, and of what its card wants where that is special."""
    if wish.taken == PLAIN:
        return artifact
    return f"{artifact}+{sha256(msgspec.json.encode(wish.taken, order='sorted')).hexdigest()[:16]}"


def session_bytes(file_bytes: int, wish: SessionWish) -> int:
    """How much memory an open session is counted with."""
    return wish.memory_bytes or FACTOR * file_bytes + BESIDE_BYTES


def wish_faults(wish: SessionWish) -> list[str]:
    """What contradicts itself in the section, as sentences."""
    faults = []
    if len(set(wish.providers)) != len(wish.providers):
        faults.append("session.providers names a provider twice.")
    if CPU in wish.providers[:-1]:
        faults.append("session.providers names cpu before others, which would never be used: cpu comes last.")
    for name, options in msgspec.to_builtins(wish.options).items():
        if options and name not in wish.providers:
            faults.append(f"session.options.{name} is given, and session.providers does not name {name}.")
    return faults


def usual_faults(usual: Mapping[str, tuple[int, ...]], signature: Signature) -> list[str]:
    """Where a usual shape does not fit the model's inputs, as sentences."""
    specs = {spec.name: spec for spec in signature.inputs}
    faults = []
    for name, shape in usual.items():
        if name not in specs:
            faults.append(f"session.usual names '{name}', which is no input of the model.")
        elif not _fits(shape, specs[name].shape):
            faults.append(f"session.usual.{name} is {list(shape)}, and the input has {list(specs[name].shape)}.")
    return faults


def with_usual(signature: Signature, usual: Mapping[str, tuple[int, ...]]) -> Signature:
    """The signature with the usual sizes in the place of free ones; where items lie it stays free."""
    inputs = tuple(_narrowed(spec, usual[spec.name]) if spec.name in usual else spec for spec in signature.inputs)
    return Signature(inputs=inputs, outputs=signature.outputs, platform=signature.platform)


def _fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    return len(shape) == len(declared) and all(
        want in (ANY_SIZE, size) for size, want in zip(shape, declared, strict=True)
    )


def _narrowed(spec: TensorSpec, shape: tuple[int, ...]) -> TensorSpec:
    return TensorSpec(name=spec.name, datatype=spec.datatype, shape=shape)
