"""What a prediction without held items is told as: the model's answer, a precedent, the safe value or a refusal."""

from gateway.holding.errors import NobodyAnswers, QueueFull
from gateway.holding.held import HeldPrediction
from gateway.holding.payload import answered
from gateway.holding.tell import plain_reply, refusal
from gateway.reply import Reply


def tell_at_once(prediction: HeldPrediction) -> Reply:
    """The reply to a prediction of which no item is held."""
    said = answered(prediction)
    if said.status == "refused":
        full = prediction.settled.overflow is not None
        return refusal(prediction.id, QueueFull() if full else NobodyAnswers())
    return plain_reply(said)
