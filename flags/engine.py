"""The one door to Unleash's evaluation engine.

A loaded engine never changes: another state is loaded into another engine, in any thread, and one reference is
swapped. It speaks to the engine's foreign functions directly rather than through the binding's methods, because those
encode the context anew for each flag, ask twice and walk custom strategies: 49 µs a flag against 4 µs. The client
specification's test holds this door to the binding's answers.
"""

import ctypes
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from yggdrasil_engine.engine import UnleashEngine

from flags.answer import FAILED, OFF, ON, UNKNOWN, FlagAnswer, Reason
from flags.definitions import canonical_json, digest_of
from flags.errors import NotAFeatureState

_NO_CUSTOM_STRATEGIES: Final = b"{}"


class _Payload(Struct, frozen=True):
    type: str
    value: str


class _Variant(Struct, frozen=True, rename="camel"):
    name: str
    enabled: bool
    feature_enabled: bool
    payload: _Payload | None = None


class _Evaluation(Struct, frozen=True):
    status_code: Literal["Ok", "NotFound", "Error"]
    value: _Variant | None = None


class _Loading(Struct, frozen=True):
    status_code: Literal["Ok", "Error"]
    error_message: str | None = None


_EVALUATION: Final = msgspec.json.Decoder(_Evaluation)
_LOADING: Final = msgspec.json.Decoder(_Loading)


class LoadedEngine:
    """A feature state, ready to be asked. `warning` is what the engine said of flags it can only answer with off."""

    __slots__ = ("_check_variant", "_engine", "_free", "digest", "warning")

    def __init__(self, engine: Any, *, digest: str, warning: str | None) -> None:
        self._engine = engine
        self._check_variant = engine.lib.check_variant
        self._free = engine.lib.free_response
        self.digest: Final = digest
        self.warning: Final = warning

    def answer(self, flag: str, context: bytes) -> FlagAnswer:
        """One flag in an encoded context: off for whatever the engine does not know or cannot evaluate.

        Asking for the variant answers whether the flag is on as well, and counts nothing.
        """
        pointer = self._check_variant(self._engine.state, flag.encode(), context, _NO_CUSTOM_STRATEGIES)
        return _answer(_EVALUATION.decode(_taken(pointer, self._free)))

    def answers(self, flag: str, contexts: Iterable[bytes]) -> Iterator[FlagAnswer]:
        """One flag in many contexts; a response that is the same as an earlier one is the same answer."""
        name, state = flag.encode(), self._engine.state
        known: dict[bytes, FlagAnswer] = {}
        for context in contexts:
            said = _taken(self._check_variant(state, name, context, _NO_CUSTOM_STRATEGIES), self._free)
            answer = known.get(said)
            yield answer if answer is not None else known.setdefault(said, _answer(_EVALUATION.decode(said)))


def load(body: bytes) -> LoadedEngine:
    """A new engine over a feature state in Unleash's JSON; raises `NotAFeatureState` where it is none.

    The engine takes a state flag by flag: one that it cannot compile answers off, and `warning` says so.
    """
    return load_canonical(canonical_json(body))


def load_canonical(canonical: bytes) -> LoadedEngine:
    """The same for a body that is canonical already, as stored ones are: other threads hardly wait for it."""
    engine = UnleashEngine()
    loading = _LOADING.decode(_taken(engine.lib.take_state(engine.state, canonical), engine.lib.free_response))
    said = loading.error_message if loading.status_code == "Error" else None
    if said is not None and "state was updated" not in said:
        raise NotAFeatureState(why="the engine expects version, features and segments as Unleash serves them")
    return LoadedEngine(engine, digest=digest_of(canonical), warning=said)


def regex_compiles(pattern: str) -> bool:
    """Whether the engine can read a regular expression: one that it cannot read never matches, without a word.

    Tried with an empty alternative before it, which always matches.
    """
    constraint = {"contextName": "text", "operator": "REGEX", "value": f"|{pattern}"}
    flag = {"name": "probe", "enabled": True, "strategies": [{"name": "default", "constraints": [constraint]}]}
    engine = load(msgspec.json.encode({"version": 2, "features": [flag]}))
    return engine.answer("probe", b'{"properties":{"text":"any"}}').enabled


def _answer(evaluation: _Evaluation) -> FlagAnswer:
    if evaluation.status_code == "NotFound":
        return UNKNOWN
    found = evaluation.value
    if found is None:
        return FAILED
    if not found.feature_enabled:
        return OFF
    return _with_variant(found) if found.enabled else ON


def _with_variant(found: _Variant) -> FlagAnswer:
    payload = found.payload.value if found.payload else None
    return FlagAnswer(enabled=True, reason=Reason.ON, variant=found.name, payload=payload)


def _taken(pointer: Any, free: Any) -> bytes:
    """The engine's response as bytes of ours; its own memory is given back."""
    try:
        return ctypes.string_at(pointer)
    finally:
        free(pointer)
