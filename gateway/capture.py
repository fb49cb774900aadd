"""Records a prediction: its entry in the traffic log, with small tensors inline and larger ones as payload objects.

The entry is appended before the answer leaves. Objects are written off the loop; those of an item drawn for audit are
durable before the entry, the others may be lost with the process and are then simply missing.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from flags.answer import FlagView
from gateway.call import Call
from gateway.decision import Decision
from gateway.errors import GatewayError
from gateway.facts import entry_of
from gateway.holding.held import HeldPrediction
from gateway.holding.payload import MEDIA_TYPE, InputPayload, answered, encode
from gateway.ids import new_id
from gateway.large import beside_if_large
from gateway.metrics import PAYLOADS_DROPPED
from gateway.policy import Policy
from gateway.protocol.binary import to_bytes
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.record.entries import Decided, InlineTensor, ObjectRef, Refused
from gateway.record.log import TrafficLog, WhenFull
from gateway.record.objects import digest_of
from gateway.record.payloads import ObjectStore
from gateway.stages import Stages

INLINE_MAX_BYTES = 1024
"""The tensors of one direction that fit in the entry itself."""
PENDING_MAX = 64
"""Objects that may wait to be written; beyond, unselected payloads are dropped and counted."""


class Capture:
    """Records the predictions of one process."""

    def __init__(self, log: TrafficLog, objects: ObjectStore) -> None:
        self._log = log
        self._objects = objects
        self._pending: set[asyncio.Task[None]] = set()

    async def record(
        self, prediction: HeldPrediction, flags: FlagView, at: Stages, draw: float
    ) -> tuple[str, int] | None:
        """Append the entry and return its position; None where the policy lets a full disk leave it unrecorded.

        `draw` is uniform in [0, 1): below the policy's `capture` the payloads of an unselected prediction are kept.
        Raises: DiskReserveReached, TrafficLogUnavailable.
        """
        policy = prediction.decision.policy
        entry = await self._with_tensors(prediction, entry_of(prediction, flags, at, self._log.settings.process), draw)
        position = await self._log.record(entry, _when_full(policy, held=bool(prediction.settled.held)))
        return (position.segment, position.offset) if position else None

    async def refuse(self, call: Call, decision: Decision, error: GatewayError, at: Stages) -> None:
        """Append that the run of the release failed; on a full disk that is left out and counted."""
        entry = Refused(
            at_us=at.us,
            process=self._log.settings.process,
            prediction=new_id(),
            tenant=call.caller.tenant_id,
            model=call.model,
            release=decision.release.name,
            api_key=call.caller.key_id,
            code=error.code,
            status=error.status,
        )
        await self._log.record(entry, "unrecorded")

    async def keep(self, prediction: HeldPrediction, flags: FlagView, at: Stages) -> Decided:
        """The prediction's entry with its payloads, which are durable then, whatever the policy captures.

        Raises: OSError.
        """
        entry = entry_of(prediction, flags, at, self._log.settings.process)
        return msgspec.structs.replace(entry, objects=await self._keep(prediction, selected=True))

    async def close(self) -> None:
        """Write what is still to be written."""
        if self._pending:
            await asyncio.wait(self._pending)

    async def _with_tensors(self, prediction: HeldPrediction, entry: Decided, draw: float) -> Decided:
        """The entry with its tensors, if they are wanted; a held prediction's payloads are kept by its hold."""
        selected = any(item.audited for item in prediction.settled.items)
        if prediction.settled.held or not (selected or draw < prediction.decision.policy.capture):
            return entry
        inputs, outputs = inline(prediction.inputs | prediction.beside), inline(prediction.outputs)
        if inputs is not None and outputs is not None and not selected and _is_models_own(prediction):
            return msgspec.structs.replace(entry, inputs=inputs, outputs=outputs)
        return msgspec.structs.replace(entry, objects=await self._keep(prediction, selected=selected))

    async def _keep(self, prediction: HeldPrediction, *, selected: bool) -> tuple[ObjectRef, ...]:
        """References to the payload objects, written now when the prediction is selected and soon otherwise."""
        objects = await beside_if_large(prediction.inputs | prediction.beside, _objects_of, prediction)
        if selected:
            await asyncio.gather(*(self._objects.put(data) for _, data in objects))
        elif len(self._pending) >= PENDING_MAX:
            PAYLOADS_DROPPED.add(prediction.model.name)
            return ()
        else:
            data = [each for _, each in objects]
            task = asyncio.create_task(self._put_later(prediction.model.name, *data))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
        return tuple(reference for reference, _ in objects)

    async def _put_later(self, model: str, *objects: bytes) -> None:
        try:
            for data in objects:
                await self._objects.put(data)
        except OSError:
            PAYLOADS_DROPPED.add(model)


def _objects_of(prediction: HeldPrediction) -> tuple[tuple[ObjectRef, bytes], ...]:
    """What came in and what went out, as payload objects with their references."""
    came_in = encode(InputPayload(inputs=prediction.inputs, beside=prediction.beside))
    went_out = encode(answered(prediction))
    return (
        (ObjectRef(role="input", sha256=digest_of(came_in), bytes=len(came_in), media_type=MEDIA_TYPE), came_in),
        (ObjectRef(role="output", sha256=digest_of(went_out), bytes=len(went_out), media_type=MEDIA_TYPE), went_out),
    )


def inline(tensors: Mapping[str, Tensor]) -> tuple[InlineTensor, ...] | None:
    """The tensors as an entry keeps them; None when they are too large for it."""
    if sum(tensor.nbytes for tensor in tensors.values()) > INLINE_MAX_BYTES:
        return None
    kept = tuple(
        InlineTensor(name=name, datatype=datatype_of(tensor), shape=tensor.shape, data=bytes(to_bytes(tensor)))
        for name, tensor in tensors.items()
    )
    return kept if sum(len(each.data) for each in kept) <= INLINE_MAX_BYTES else None


def _is_models_own(prediction: HeldPrediction) -> bool:
    """Whether the caller is told the model's own answer; the output object alone says what another one is told."""
    return prediction.decision.by == "model" and prediction.settled.overflow in (None, "automated")


def _when_full(policy: Policy, *, held: bool) -> WhenFull:
    """What a person would be shown cannot be kept on a full disk, whatever the policy says of automatic answers."""
    return "unrecorded" if policy.unrecorded == "answer" and not held else "refuse"
