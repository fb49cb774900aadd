"""`/v2/models/{model}/outcomes`: a service tells what was right, long after it was answered (WIRE.md §4)."""

from typing import Any

from litestar import Controller, Request, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from gateway.access.callers import require
from gateway.errors import BadRequest
from gateway.holding.arriving import ArrivedTruth, ArrivedTruths, TruthBatch, TruthReceipts
from gateway.holding.asked import asked_from
from gateway.http.models import ModelName
from gateway.http.problems import as_response
from gateway.http.truths import Truths
from gateway.live import Live
from gateway.plan import Caller
from gateway.reply import Problem

_REPLIES = {
    200: ResponseSpec(TruthReceipts, description="What became of each entry, in the order in which they came."),
    400: ResponseSpec(Problem, description="The body does not fit, or the Idempotency-Key is missing."),
    403: ResponseSpec(Problem, description="The key lacks the scope `truth:MODEL`, which the text names."),
    404: ResponseSpec(Problem, description="No such model."),
    409: ResponseSpec(Problem, description="A request with this Idempotency-Key is being carried out."),
    422: ResponseSpec(Problem, description="This Idempotency-Key was sent before with another body."),
    503: ResponseSpec(Problem, description="The ledger or the console is away; send it again with the same key."),
}


class IdempotencyKeyMissing(BadRequest):
    """This request needs an Idempotency-Key, so that it can be sent again safely."""

    code = "idempotency-key-missing"


class PredictionUnnamed(BadRequest):
    """Outcome {number} of this request names its prediction by exactly one of 'prediction_id' and 'request_id'."""

    code = "prediction-unnamed"


class OutcomesController(Controller):
    """Truth that arrives later."""

    path = "/v2/models/{model:str}/outcomes"
    tags = ("predictions",)

    @post("/", status_code=200, summary="Tell what was right, later", responses=_REPLIES)
    async def record(
        self, request: Request[Any, Any, Any], live: Live, caller: Caller, model: ModelName, data: ArrivedTruths
    ) -> Response[bytes]:
        """Record truth that a service learned by itself; each entry is recorded or refused on its own."""
        require(caller, "truth", model)
        live.plan.model(caller.tenant_id, model)
        key = asked_from(request.scope["headers"]).idempotency_key
        if key is None:
            raise IdempotencyKeyMissing
        _check(data.outcomes)
        batch = TruthBatch(tenant_id=caller.tenant_id, model=model, by=f"key:{caller.key_name}", entries=data.outcomes)
        truths: Truths = request.app.state.parts.truths
        route = f"POST /v2/models/{model}/outcomes"
        return as_response(await truths.record(caller, route, key, await request.body(), batch))


def _check(entries: tuple[ArrivedTruth, ...]) -> None:
    """Return if each entry names its prediction in one way. Raises: PredictionUnnamed."""
    for number, entry in enumerate(entries, start=1):
        if (entry.prediction_id is None) == (entry.request_id is None):
            raise PredictionUnnamed(number=number)
