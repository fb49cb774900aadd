"""Moulds: the bytes of entries and of a reply, of which only what differs from request to request is made anew. Pure.

A decision that many requests share makes most of each. What a mould casts is what `gateway.facts.entry_of`,
`gateway.inference.beside.entry_about` and `gateway.tell.tell_at_once` would have written; tests hold them to each
other.
"""

import struct
from typing import Any, Final
from uuid import UUID

import msgspec

from flags.answer import FlagView
from gateway.context import NOTHING_TOLD
from gateway.decision import Decision, public_rule
from gateway.express.reading import PlainInput
from gateway.facts import flag_facts, short
from gateway.plan import TrialPlan
from gateway.record.codec import ENCODER
from gateway.record.entries import FlagFacts

_UINT64: Final = struct.Struct(">BQ")
_MAP16: Final = struct.Struct(">BH")
_JSON: Final = msgspec.json.Encoder()
_FIXMAP_MAX: Final = 15


class Varying(msgspec.Struct, kw_only=True, gc=False):
    """What of an entry differs from request to request, by the names that entries have for it."""

    at_us: int
    prediction: bytes
    api_key: bytes
    input_digest: str
    output_digest: str
    request_id: str | msgspec.UnsetType
    items: tuple[Any, ...]
    inputs: tuple[PlainInput, ...]
    outputs: tuple[PlainInput, ...]
    stages: tuple[int, int, int, int, int, int]


class VaryingShadow(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What of an entry about a run beside an answer differs from run to run."""

    at_us: int
    prediction: bytes
    status: str
    item_count: int
    reason: str = ""
    output_digest: str | None = None
    outputs: tuple[PlainInput, ...] = ()
    run_us: int = 0
    differing: tuple[int, ...] = ()
    draws: tuple[float, ...] = ()
    answers: tuple[Any, ...] = ()


class EntryMould:
    """The entries of one decision under one state of the flags."""

    def __init__(self, tenant: UUID, model: str, process: str, decision: Decision, flags: FlagFacts) -> None:
        rule = decision.rule
        constant = {
            "plain": True,
            "kind": "decided/1",
            "process": process,
            "tenant": tenant,
            "model": model,
            "release": decision.release.name,
            "path": decision.path,
            "decided_path": decision.path,
            "rule": rule,
            "decided_rule": rule,
            "public_rule": public_rule(rule),
            "asked": False,
        }
        if decision.shadow_release is not None:
            constant["shadow_release"] = decision.shadow_release.name
        told = msgspec.msgpack.decode(ENCODER.encode(flags))
        told.pop("evaluated_us", None)
        self._fields = len(constant) + 1
        self._constant = _pairs(constant) + ENCODER.encode("flags") + _head(len(told) + 1) + _pairs(told)
        self._constant += ENCODER.encode("evaluated_us")
        self._begins: dict[int, bytes] = {}

    def cast(self, varying: Varying) -> bytes:
        """The entry."""
        rest = ENCODER.encode(varying)
        begin = self._begins.get(rest[0])
        if begin is None:
            fields = self._fields + (rest[0] & _FIXMAP_MAX)
            begin = self._begins[rest[0]] = _head(fields) + self._constant
        return b"".join((begin, _UINT64.pack(0xCF, varying.at_us), rest[1:]))


class ShadowMould:
    """The entries about the runs of a trial's other release beside the answers of one decision."""

    def __init__(self, tenant: UUID, model: str, process: str, decision: Decision, trial: TrialPlan) -> None:
        assert decision.shadow_release is not None
        constant = {
            "kind": "shadowed/1",
            "process": process,
            "tenant": tenant,
            "model": model,
            "release": decision.release.name,
            "shadow_release": decision.shadow_release.name,
            "inclusion_probability": trial.disagreement_probability,
            "trial": trial.id,
        }
        self._fields = len(constant)
        self._constant = _pairs(constant)

    def cast(self, varying: VaryingShadow) -> bytes:
        """The entry."""
        rest = ENCODER.encode(varying)
        return b"".join((_head(self._fields + (rest[0] & _FIXMAP_MAX)), self._constant, rest[1:]))


class ReplyMould:
    """The replies of one decision under one state of the flags."""

    def __init__(self, model: str, decision: Decision, flag_state: str | None) -> None:
        release = decision.release
        begin = _JSON.encode({"model_name": model, "model_version": str(release.version)})
        told = {
            "path": decision.path,
            "rule": public_rule(decision.rule),
            "release": release.name,
            "flag_state": flag_state or "none",
            "review_status": "automated",
        }
        self._begin = begin[:-1]
        self._told = b'","path"' + _JSON.encode(told)[7:] + b',"outputs":['

    def cast(self, prediction: str, request_id: str | None, outputs: bytes) -> bytes:
        """The reply; `outputs` is the JSON of the outputs, with commas between them."""
        named = b"" if request_id is None else b',"id":' + _JSON.encode(request_id)
        ids = b',"parameters":{"prediction_id":"' + prediction.encode()
        return b"".join((self._begin, named, ids, self._told, outputs, b"]}"))


def output_head(name: str, shape: tuple[int, ...], datatype: str) -> bytes:
    """What stands before the elements of an output in a reply."""
    return _JSON.encode({"name": name, "shape": shape, "datatype": datatype})[:-1] + b',"data":'


def mould_facts(view: FlagView, environment: str, revision: int) -> FlagFacts:
    """What a plain request's entry says of the flags: its caller told nothing, so that nothing else was read."""
    return flag_facts(view, NOTHING_TOLD, environment=environment, revision=revision, at_us=0)


def item_of(answer: Any, score: float | None, rule: str, rate: float, draw: float) -> tuple[Any, ...]:
    """What an entry says of an item that was answered and not drawn: the fields of `ItemFacts`, in their order."""
    evidence = () if score is None else (("score", score),)
    return score, False, rule, False, rate, draw, (), evidence, short(answer), ""


def _pairs(fields: dict[str, Any]) -> bytes:
    """A map without its head."""
    encoded = ENCODER.encode(fields)
    return encoded[1:] if len(fields) <= _FIXMAP_MAX else encoded[3:]


def _head(fields: int) -> bytes:
    """The head of a map of so many fields."""
    return bytes((0x80 | fields,)) if fields <= _FIXMAP_MAX else _MAP16.pack(0xDE, fields)
