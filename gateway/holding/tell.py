"""What a caller is told, as a reply: a truth, a fallback or that it is held; stock clients survive each body. Pure.

`review_status` of a prediction is the weakest of its items', in the order of `STATUSES`; every reply with tensors is
free of NaN and infinity, unless the card allows them beside the answer, and an argmax over a corrected answer gives
the correction.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec
import numpy as np

from gateway.answers import finite_items, judged_outputs
from gateway.decision import public_rule
from gateway.errors import GatewayError, Gone
from gateway.holding.correct import NotExpressible, corrected
from gateway.holding.errors import HeldTooLong, NobodyAnswers, Unanswerable
from gateway.holding.fallback import Fallback
from gateway.holding.payload import Answered
from gateway.holding.seen import DeliveryKind, OutcomeSeen
from gateway.holding.truth import GoneWhy, Truth
from gateway.labels import Answer
from gateway.protocol.binary import LENGTH_HEADER
from gateway.protocol.decode import REVIEW_STATUS
from gateway.protocol.encode import Encoded, encode_held, encode_response
from gateway.protocol.messages import Parameters
from gateway.reply import JSON, Headers, Reply, error_reply

STATUSES = ("automated", "approved", "corrected", "precedent", "provisional", "fallback")
"""From the strongest to the weakest."""
HELD_RETRY_S = 5


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A reply, and the delivery that it is."""

    reply: Reply
    kind: DeliveryKind
    outcome_revision: int | None = None


def prediction_url(prediction_id: UUID) -> str:
    """The path at which a prediction's latest truth is told."""
    return f"/v2/predictions/{prediction_id}"


def tell_truth(said: Answered, truth: Truth) -> Told:
    """The reply for a truth that is neither held nor given up."""
    url = prediction_url(said.prediction_id)
    revision = truth.outcome_revision
    if truth.kind == "gone":
        return tell_gone(said.prediction_id, truth.gone_why)
    if truth.kind == "unanswerable":
        return Told(reply=error_reply(Unanswerable(), instance=url), kind="refusal", outcome_revision=revision)
    if said.status == "refused" and len(truth.outcomes) < said.items:
        return Told(reply=refusal(said.prediction_id, NobodyAnswers()), kind="refusal")
    try:
        reply = _answer(said, truth.outcomes, {}, revising=truth.revising)
    except GatewayError as error:
        return Told(reply=error_reply(error, instance=url), kind="refusal", outcome_revision=revision)
    return Told(reply=reply, kind="answer", outcome_revision=revision)


def plain_reply(said: Answered) -> Reply:
    """200 with the outputs as they are, under `said.status`. Raises: OutputNotFinite."""
    return _answer(said, {}, {})


def tell_gone(prediction_id: UUID, why: GoneWhy) -> Told:
    """410."""
    return Told(reply=error_reply(Gone(why=why), instance=prediction_url(prediction_id)), kind="refusal")


def tell_fallback(said: Answered, kind: Fallback, truth: Truth | None = None, *, public_url: str = "") -> Told:
    """The reply of a fallback; items that people have settled already are told as settled, where tensors are told."""
    outcomes = truth.outcomes if truth is not None else {}
    url = prediction_url(said.prediction_id)
    if truth is not None and truth.cannot_tell:
        return Told(reply=error_reply(Unanswerable(), instance=url), kind="refusal")
    if kind == "refusal":
        return Told(reply=refusal(said.prediction_id, HeldTooLong(url=f"{public_url}{url}")), kind="refusal")
    open_items = [item for item in said.held if item not in outcomes]
    safe = said.policy.safe_value if kind == "fallback" else None
    try:
        reply = _answer(said, outcomes, dict.fromkeys(open_items, safe), status=kind)
    except NotExpressible:
        return tell_fallback(said, "refusal", truth, public_url=public_url)
    told = sum(outcome.revision for outcome in outcomes.values()) or None
    return Told(reply=reply, kind=kind, outcome_revision=told)


def tell_held(said: Answered, *, delivered: DeliveryKind | None = None) -> Told:
    """202: where to ask again, and what was told meanwhile, if anything was."""
    url = prediction_url(said.prediction_id)
    parameters = parameters_of(said, "held")
    if delivered is not None:
        parameters["delivered"] = delivered
    body = encode_held(
        model=said.model,
        version=said.version,
        id=said.request_id or str(said.prediction_id),
        parameters=parameters,
        error=f"held for human review: GET {url}",
    )
    headers: Headers = (*JSON, ("Location", url), ("Retry-After", str(HELD_RETRY_S)))
    return Told(reply=Reply(202, headers, body), kind="held")


def refusal(prediction_id: UUID, error: GatewayError) -> Reply:
    """An error about a prediction, with its URL."""
    url = prediction_url(prediction_id)
    return error_reply(error, instance=url, headers=(("Location", url),))


def parameters_of(said: Answered, review_status: str) -> Parameters:
    """The `parameters` that every answer carries."""
    return {
        "prediction_id": str(said.prediction_id),
        "path": said.path,
        "rule": public_rule(said.rule),
        "release": said.release,
        "flag_state": said.flag_state or "none",
        "review_status": review_status,
    }


def statuses_of(said: Answered, outcomes: Mapping[int, OutcomeSeen]) -> list[str]:
    """The review status of each item; one without an outcome keeps the status it went out with."""
    return [
        _status(said, outcomes[item]) if item in outcomes else _status_without_people(said, item)
        for item in range(1, said.items + 1)
    ]


def weakest(statuses: list[str]) -> str:
    """The weakest of several review statuses."""
    return max(statuses, key=STATUSES.index, default="automated")


def with_header(reply: Reply, name: str, value: str) -> Reply:
    """The reply with one header more, where the value says something."""
    return msgspec.structs.replace(reply, headers=(*reply.headers, (name, value))) if value else reply


def _status_without_people(said: Answered, item: int) -> str:
    return said.status if item in said.instead else "automated"


def _status(said: Answered, outcome: OutcomeSeen) -> str:
    differs = outcome.differs
    if differs is None:
        differs = said.labels.differs(outcome.answer, said.answers[outcome.item - 1])
    return "corrected" if differs else "approved"


def _answer(
    said: Answered,
    outcomes: Mapping[int, OutcomeSeen],
    others: Mapping[int, Answer | None],
    *,
    status: str = "",
    revising: bool = False,
) -> Reply:
    """200 with the outcomes in their rows; `others` are items that are told an answer (or the model's own) as `status`.

    Raises: NotExpressible, OutputNotFinite.
    """
    statuses = statuses_of(said, outcomes)
    for item in others:
        statuses[item - 1] = status
    told = {item: answer for item, answer in others.items() if answer is not None}
    written = said.instead | _written(said, outcomes, statuses) | told
    outputs = corrected(said, written)
    if REVIEW_STATUS in said.requested:
        outputs[REVIEW_STATUS] = np.array(statuses, dtype=object)
    parameters = parameters_of(said, weakest(statuses))
    if revising:
        parameters["revising"] = True
    encoded = encode_response(
        model=said.model,
        version=said.version,
        id=said.request_id,
        parameters=parameters,
        outputs=outputs,
        requested=said.requested,
        binary=said.binary,
        nulls=said.answer.not_finite == "null",
    )
    return _reply(encoded)


def _reply(encoded: Encoded) -> Reply:
    """200; an answer with binary data says where its JSON ends, and one without never does."""
    if not encoded.tensors:
        return Reply(200, JSON, encoded.json)
    headers = (("Content-Type", "application/octet-stream"), (LENGTH_HEADER, str(len(encoded.json))))
    return Reply(200, headers, encoded.json, encoded.tensors)


def _written(said: Answered, outcomes: Mapping[int, OutcomeSeen], statuses: list[str]) -> dict[int, Answer]:
    """The answers that replace the model's rows: an approved row stays the model's own while its numbers are finite."""
    finite = finite_items(judged_outputs(said.answer, said.outputs), said.items, said.batch_axis)
    return {
        item: outcome.answer
        for item, outcome in outcomes.items()
        if outcome.answer is not None and (statuses[item - 1] == "corrected" or not finite[item - 1])
    }
