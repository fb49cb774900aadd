"""What a caller may be told instead of an answer."""

from gateway.errors import BadRequest, Conflict, GatewayError, Unavailable


class HeldTooLong(Unavailable):
    """Nobody has judged this prediction in time; its answer will be at {url}"""

    code = "held-too-long"
    retry_after_s = 10.0


class QueueFull(Unavailable):
    """Too many predictions wait for people; try again."""

    code = "queue-full"
    retry_after_s = 10.0


class NobodyAnswers(Unavailable):
    """This model answers nobody now, by its operators' decision or because its flags cannot be trusted; try again."""

    code = "nobody-answers"
    retry_after_s = 30.0


class Unanswerable(GatewayError):
    """A person has looked at this prediction: no answer is right."""

    status = 422
    code = "unanswerable"


class AlreadyDelivered(Conflict):
    """An answer to this prediction was delivered already, so it cannot be cancelled."""

    code = "already-delivered"


class InvalidIdempotencyKey(BadRequest):
    """An Idempotency-Key is one text of 1 to 255 characters, bare or in double quotes."""

    code = "invalid-idempotency-key"


class IdempotencyKeyReused(GatewayError):
    """This Idempotency-Key was sent before with another body; use a new key for a new request."""

    status = 422
    code = "idempotency-key-reused"


class IdempotencyKeyInUse(Conflict):
    """A request with this Idempotency-Key is being decided; try again in a moment."""

    code = "idempotency-key-in-use"
    retry_after_s = 1.0


class ReasonRefused(BadRequest):
    """A report needs a 'reason' of 1 to {limit} characters, and an 'item' from 1 to {items}."""

    code = "reason-refused"
