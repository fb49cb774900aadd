"""A run of a trial's other release beside an answer: whether one belongs to it, what it came to, and its entry."""

from contextlib import ExitStack
from time import perf_counter_ns
from typing import Any
from uuid import UUID

import msgspec

from flags.answer import FlagView
from gateway.capture import inline
from gateway.compare import answers_within, differing_items
from gateway.facts import tensors_digest
from gateway.holding.held import HeldPrediction
from gateway.inference.session import Session, Stop
from gateway.labels import Answer
from gateway.plan import ReleasePlan
from gateway.protocol.datatypes import Tensor
from gateway.record.entries import InlineTensor, Shadowed, ShadowStatus
from gateway.registry.live import LivePlan
from gateway.stages import Stages
from gateway.times import now_us


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is about to leave, with all that a run beside it needs."""

    live: LivePlan
    prediction: HeldPrediction
    flags: FlagView
    at: Stages


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to."""

    differing: tuple[int, ...]
    answers: tuple[Answer | None, ...]
    """For each differing item."""
    digest: str
    outputs: tuple[InlineTensor, ...]
    """The tensors; none where they are too large for an entry."""
    run_us: int
    draws: tuple[float, ...] | None = None
    """For each differing item, where they were drawn already."""


class ShadowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waits, with its hold on the live plan."""

    beside: Beside
    release: ReleasePlan
    trial: UUID
    probability: float
    bytes: int
    hold: ExitStack
    """Gives the live plan back when it is closed; empty while the run is only offered."""
    ran: Ran | None = None
    """What it came to, where it was made already and only has to be recorded."""


def run_beside(beside: Beside) -> ShadowRun | None:
    """The run that belongs to an answer: only to the model's own one that goes out without a person."""
    prediction = beside.prediction
    release, trial = prediction.decision.shadow_release, prediction.model.trial
    if release is None or trial is None or prediction.settled.path != "shadow" or prediction.decision.by != "model":
        return None
    return ShadowRun(
        beside=beside,
        release=release,
        trial=trial.id,
        probability=trial.disagreement_probability,
        bytes=sum(map(_size, (prediction.inputs | prediction.beside).values())),
        hold=ExitStack(),
    )


def compared(session: Session, run: ShadowRun, stop: Stop) -> Ran:
    """In the runner's thread: run the release, and compare what it says with the answer."""
    prediction = run.beside.prediction
    began = perf_counter_ns()
    outputs = session.run(prediction.inputs, None, stop)
    run_us = (perf_counter_ns() - began) // 1000
    own, schema = [item.answer for item in prediction.settled.items], prediction.decision.release.card.labels
    other = answers_within(schema, run.release.card, outputs, len(own))
    differing = differing_items(schema, own, other)
    return Ran(
        differing=tuple(differing),
        answers=tuple(other[item - 1] for item in differing),
        digest=tensors_digest(outputs),
        outputs=inline(outputs) or (),
        run_us=run_us,
    )


def entry_about(run: ShadowRun, status: ShadowStatus, reason: str, **found: Any) -> Shadowed:
    """What became of a run; the process is filled in where it is recorded."""
    prediction = run.beside.prediction
    return Shadowed(
        at_us=now_us(),
        process="",
        prediction=prediction.id,
        tenant=prediction.caller.tenant_id,
        model=prediction.model.name,
        release=prediction.decision.release.name,
        shadow_release=run.release.name,
        status=status,
        reason=reason,
        item_count=len(prediction.settled.items),
        inclusion_probability=run.probability,
        trial=run.trial,
        **found,
    )


def _size(tensor: Tensor) -> int:
    """What a tensor takes in memory, roughly: the elements, or the texts."""
    return tensor.nbytes if tensor.dtype.kind != "O" else sum(map(len, tensor.ravel().tolist()))
