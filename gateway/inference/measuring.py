"""How fast a model file runs on this machine, measured in a child process that takes the harm."""

from pathlib import Path

import msgspec

from gateway.errors import GatewayError
from gateway.inference.admission import RuntimeWords, admit, checked, ending, refused
from gateway.inference.benched import Benched, why_alone
from gateway.inference.child import answer_of
from gateway.inference.choice import choose
from gateway.inference.machine import cores
from gateway.inference.pace import Asked, Measured
from gateway.inference.report import AdmissionLimits, Refusal
from gateway.registry.card import BatchBounds, Card

ROWS = tuple(1 << step for step in range(13))
"""How many rows are tried: 1, 2, 4… up to the most that a card may name."""
BYTES_MAX = BatchBounds().max_bytes
OPENING_S = 120.0
"""What opening the sessions, and the last run of each round, may take beside the measuring itself."""
_TOLD: msgspec.json.Decoder[Measured | Refusal] = msgspec.json.Decoder(Measured | Refusal)


class NotMeasurable(GatewayError):
    """{model} could not be run on made-up inputs, so nothing can be measured: name the size of its free axes with
    --free-size.
    """

    status = 422
    code = "not-measurable"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far a bench goes."""

    seconds: float
    run_max_ms: float
    rows_max: int
    free_size: int | None = None


async def bench(path: Path, model: str, card: Card | None, bounds: Bounds) -> Benched:
    """What suits the model best here. Raises: AdmissionRefused, NotMeasurable."""
    report = await admit(path)
    alone = why_alone(report, card)
    asked = Asked(
        threads=threads_here(),
        rows=(1,) if alone else tuple(rows for rows in ROWS if rows <= bounds.rows_max),
        seconds=bounds.seconds,
        run_max_ms=bounds.run_max_ms,
        bytes_max=BYTES_MAX if card is None else card.batching.max_bytes,
        free_size=bounds.free_size,
    )
    measured = await measure(path, asked)
    if not measured.paces:
        raise NotMeasurable(model=model)
    return Benched(
        model=model,
        sha256=report.sha256,
        processors=max(asked.threads),
        seconds=bounds.seconds,
        run_max_ms=bounds.run_max_ms,
        why_alone=alone,
        measured=measured,
        choice=choose(measured, joined=not alone, run_max_ms=bounds.run_max_ms),
    )


async def measure(path: Path, asked: Asked) -> Measured:
    """How fast an admitted file runs. Raises: AdmissionRefused."""
    limits = limits_for(asked)
    words = msgspec.json.encode(asked).decode()
    text, status = await answer_of("gateway.inference.measure", checked(path, limits), limits, words)
    try:
        told = _TOLD.decode(text)
    except (ValueError, RecursionError) as error:
        raise ending(status, limits) from error
    if isinstance(told, Measured):
        return told
    raise refused(told) from RuntimeWords(told.detail)


def limits_for(asked: Asked) -> AdmissionLimits:
    """What the child may take: the memory of an admission for each session, and the time on all threads."""
    admission = AdmissionLimits()
    wall_s = 3 * asked.seconds + OPENING_S
    return msgspec.structs.replace(
        admission,
        memory_max_bytes=admission.memory_max_bytes * len(asked.threads),
        wall_s=wall_s,
        cpu_s=int(wall_s * max(asked.threads)),
    )


def threads_here() -> tuple[int, ...]:
    """The numbers of threads that make sense on this machine: 1, 2, 4… and all processors that this process may use."""
    processors = cores()
    return (*(1 << step for step in range(processors.bit_length()) if 1 << step < processors), processors)
