"""A plain request that has been answered, and how the general way has it."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import uuid_utils

from gateway.decision import Settled, SettledItem
from gateway.express.judging import Judged
from gateway.express.reading import PlainInput
from gateway.express.target import ASKED
from gateway.holding.held import HeldPrediction
from gateway.ids import standard
from gateway.inference.beside import Beside
from gateway.protocol.binary import from_bytes
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.settle import score_evidence
from gateway.stages import Stages

if TYPE_CHECKING:
    from gateway.express.turn import Drawn, Waiting


class Finished(msgspec.Struct, frozen=True):
    """A plain request with what came of its run."""

    waiting: "Waiting"
    judged: Judged
    start: int
    """Where its items begin among those of the run."""
    tensors: tuple[PlainInput, ...]
    identifier: uuid_utils.UUID
    rate: float
    """The probability with which each item was to be drawn for audit."""
    stages: tuple[int, int, int, int, int, int]
    """The microseconds of `StageTimes`."""
    drawn: "Drawn"


def beside(finished: Finished) -> Beside:
    """The answer as the general way offers it to the trial's other release."""
    at = finished.waiting
    stages = Stages.told(at.at_us, finished.stages)
    return Beside(live=at.target.live, prediction=_prediction(finished), flags=at.answering.view, at=stages)


def _prediction(finished: Finished) -> HeldPrediction:
    """The prediction, as the general way would have it."""
    at, target = finished.waiting, finished.waiting.target
    decision = at.answering.decision
    return HeldPrediction(
        id=standard(finished.identifier),
        caller=target.caller,
        model=target.model,
        decision=decision,
        settled=Settled(path=decision.path, rule=decision.rule, items=_items(finished)),
        asked=msgspec.structs.replace(ASKED, request_id=at.request.id),
        flag_state=at.answering.view.state,
        facts={},
        input_digest=at.request.digest,
        inputs={each.name: tensor_of(each) for each in at.request.inputs},
        beside={},
        outputs={each.name: tensor_of(each) for each in finished.tensors},
        signature=target.release.session.signature,
        decided_us=at.at_us,
        environment=at.answering.environment,
        flag_revision=at.answering.revision,
    )


def _items(finished: Finished) -> tuple[SettledItem, ...]:
    judged, decision = finished.judged, finished.waiting.answering.decision
    return tuple(
        SettledItem(
            item=number,
            held=False,
            rule=decision.rule,
            evidence=score_evidence(judged.scores[at]),
            answer=judged.answers[at],
            score=judged.scores[at],
            audit_probability=finished.rate,
            audit_draw=draw,
            unfit="",
        )
        for number, (at, draw) in enumerate(enumerate(finished.drawn.items, finished.start), 1)
    )


def tensor_of(kept: PlainInput) -> Tensor:
    """The tensor of a plain request, as a request of the general way has it."""
    if kept.datatype == "BYTES":
        return from_bytes(kept.name, kept.datatype, kept.shape, memoryview(kept.data))
    return np.frombuffer(kept.data, NUMPY[kept.datatype]).reshape(kept.shape)
