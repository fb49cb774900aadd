"""What a prediction without held items is told as: the model's answer, a precedent, the fallback or a refusal."""

import numpy as np

from gateway.decision import public_rule
from gateway.holding.correct import corrected
from gateway.holding.errors import NobodyAnswers, QueueFull
from gateway.holding.held import HeldPrediction
from gateway.holding.payload import answered
from gateway.holding.tell import refusal
from gateway.labels import Answer
from gateway.protocol.datatypes import Tensor
from gateway.protocol.decode import REVIEW_STATUS
from gateway.protocol.encode import encode_response
from gateway.protocol.messages import Parameters
from gateway.reply import JSON, Reply


def tell_at_once(prediction: HeldPrediction) -> Reply:
    """The reply to a prediction of which no item is held."""
    by, overflow = prediction.decision.by, prediction.settled.overflow
    safe = prediction.decision.policy.safe_value
    if by == "nobody":
        return refusal(prediction.id, NobodyAnswers())
    if by == "fallback":
        declared = prediction.decision.policy.fallback == "safe_value" and safe is not None
        return _safe(prediction, safe) if declared else refusal(prediction.id, NobodyAnswers())
    if overflow == "refuse":
        return refusal(prediction.id, QueueFull())
    if overflow == "safe_value":
        return _safe(prediction, safe)
    if prediction.decision.precedent is not None:
        answers = dict.fromkeys(_all_items(prediction), prediction.decision.precedent.answer)
        return _reply(prediction, corrected(answered(prediction), answers), "precedent")
    return _reply(prediction, prediction.outputs, "automated")


def _safe(prediction: HeldPrediction, safe: Answer | None) -> Reply:
    """The safe value in every item that would have waited; the others keep the model's own answer."""
    waiting = prediction.decision.by == "fallback"
    items = [item.item for item in prediction.settled.items if waiting or item.rule == "queue_full"]
    assert safe is not None
    return _reply(prediction, corrected(answered(prediction), dict.fromkeys(items, safe)), "fallback")


def _all_items(prediction: HeldPrediction) -> range:
    return range(1, len(prediction.settled.items) + 1)


def _reply(prediction: HeldPrediction, outputs: dict[str, Tensor], review_status: str) -> Reply:
    if REVIEW_STATUS in prediction.requested:
        statuses = np.array([review_status] * len(prediction.settled.items), dtype=object)
        outputs = outputs | {REVIEW_STATUS: statuses}
    release = prediction.decision.release
    parameters: Parameters = {
        "prediction_id": str(prediction.id),
        "path": prediction.settled.path,
        "rule": public_rule(prediction.settled.rule),
        "release": release.name,
        "flag_state": prediction.flag_state or "none",
        "review_status": review_status,
    }
    body = encode_response(
        model=prediction.model.name,
        version=str(release.version),
        id=prediction.asked.request_id,
        parameters=parameters,
        outputs=outputs,
        requested=prediction.requested,
    )
    return Reply(200, JSON, body)
