"""The two payload objects of a prediction that people see: what came in, and what the model said with how to tell it.

Both are MessagePack; a tensor is `[datatype, shape, data]` with little-endian row-major bytes, or a list of texts for
BYTES. The second one carries the parts of card and policy that telling needs, so that an answer can be told after its
release has left every plan.
"""

from typing import Any, Literal
from uuid import UUID

import msgspec
import numpy as np

from gateway.decision import PathName
from gateway.holding.held import HeldPrediction
from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy
from gateway.protocol.datatypes import NUMPY, Tensor, datatype_of
from gateway.registry.card import AnswerOutput, OutcomeTensor

Status = Literal["automated", "precedent", "fallback", "refused"]
MEDIA_TYPE = "application/vnd.lockgate.tensors+msgpack"


class InputPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What came in: the tensors of the model, and those sent beside them for people."""

    inputs: dict[str, Tensor]
    beside: dict[str, Tensor] = {}


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said, and how it is told."""

    prediction_id: UUID
    model: str
    version: str
    release: str
    """Such as `sentiment@7`."""
    path: PathName
    rule: str
    """The internal name of the rule that made the path."""
    flag_state: str | None
    request_id: str | None
    requested: tuple[str, ...]
    items: int
    held: dict[int, str]
    """The rule by held item."""
    answers: tuple[Answer | None, ...]
    """The model's answer by item."""
    outputs: dict[str, Tensor]
    answer: AnswerOutput
    outcome: tuple[OutcomeTensor, ...]
    labels: LabelSchema
    batch_axis: int | None
    policy: Policy
    decided_us: int
    status: Status = "automated"
    """The review status of the items that nobody was asked about; `refused` where nothing of it may be told."""
    instead: dict[int, Answer] = {}
    """By item: what is told in the place of the model's answer, a precedent or the safe value."""
    binary: tuple[str, ...] = ()
    """The outputs that its caller takes as binary data."""


def answered(held: HeldPrediction) -> Answered:
    """What has to be kept of a prediction so that it can be told at any time."""
    release = held.decision.release
    status, instead = _without_people(held)
    return Answered(
        prediction_id=held.id,
        model=held.model.name,
        version=str(release.version),
        release=release.name,
        path=held.settled.path,
        rule=held.settled.rule,
        flag_state=held.flag_state,
        request_id=held.asked.request_id,
        requested=held.requested,
        binary=held.asked.binary,
        items=len(held.settled.items),
        held={item.item: item.rule for item in held.settled.held},
        answers=tuple(item.answer for item in held.settled.items),
        outputs=held.outputs,
        answer=release.card.answer,
        outcome=release.card.outcome,
        labels=release.card.labels,
        batch_axis=release.card.batch_axis,
        policy=held.decision.policy,
        decided_us=held.decided_us,
        status=status,
        instead=instead,
    )


def _without_people(held: HeldPrediction) -> tuple[Status, dict[int, Answer]]:
    """How the items are told that nobody is asked about, and what is told instead of the model's answer."""
    decision, settled = held.decision, held.settled
    safe, everything = decision.policy.safe_value, [item.item for item in settled.items]
    overflowed = [item.item for item in settled.items if item.rule == "queue_full"]
    if decision.precedent is not None:
        return "precedent", dict.fromkeys(everything, decision.precedent.answer)
    if decision.by == "nobody" or settled.overflow == "refuse":
        return "refused", {}
    if decision.by == "fallback":
        if decision.policy.fallback != "safe_value" or safe is None:
            return "refused", {}
        return "fallback", dict.fromkeys(everything, safe)
    if settled.overflow == "safe_value" and safe is not None:
        return "fallback", dict.fromkeys(overflowed, safe)
    return "automated", {}


def encode(payload: InputPayload | Answered) -> bytes:
    """The bytes of the object."""
    return _ENCODER.encode(payload)


def decode_input(data: bytes) -> InputPayload:
    """What came in. Raises: msgspec.MsgspecError."""
    return _INPUT.decode(data)


def decode_answered(data: bytes) -> Answered:
    """What the model said. Raises: msgspec.MsgspecError."""
    return _ANSWERED.decode(data)


def packed(value: object) -> object:
    """A tensor as `[datatype, shape, data]`; the hook of every MessagePack encoder that meets tensors."""
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(type(value))
    datatype = datatype_of(value)
    if datatype == "BYTES":
        return [datatype, value.shape, [_text(element) for element in value.ravel().tolist()]]
    return [datatype, value.shape, np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()]


def unpacked(_type: type, value: Any) -> Tensor:
    """The tensor that was packed; the hook of every MessagePack decoder that meets tensors."""
    datatype, shape, data = value
    if datatype == "BYTES":
        return np.array(data, dtype=object).reshape(shape)
    dtype = NUMPY[datatype]
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def _text(element: str | bytes) -> str:
    return element.decode("utf-8", "replace") if isinstance(element, bytes) else element


_ENCODER = msgspec.msgpack.Encoder(enc_hook=packed, uuid_format="bytes")
_INPUT = msgspec.msgpack.Decoder(InputPayload, dec_hook=unpacked)
_ANSWERED = msgspec.msgpack.Decoder(Answered, dec_hook=unpacked)
