"""`/v2/predictions/{id}`: the latest truth of a prediction, the end of a caller's interest, and reports."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from gateway.holding import wishes
from gateway.holding.asked import asked_from
from gateway.holding.holds import Holds
from gateway.http.infer import InferResponse
from gateway.http.problems import as_response
from gateway.plan import Caller
from gateway.reply import Problem

_UNKNOWN = ResponseSpec(Problem, description="No such prediction, or not one that this key may see.")
_REPLIES = {
    200: ResponseSpec(InferResponse, description="The latest answer; `revising` while people look at it again."),
    202: ResponseSpec(InferResponse, description="Still with people; `Retry-After` says when to ask again."),
    404: _UNKNOWN,
    410: ResponseSpec(Problem, description="Erased, cancelled, past retention, or answered without capture."),
    422: ResponseSpec(Problem, description="Unanswerable: no answer is right."),
    503: ResponseSpec(Problem, description="Nobody has judged in time, or the ledger is away."),
}


class PredictionsController(Controller):
    """Predictions that were made."""

    path = "/v2/predictions/{prediction_id:uuid}"
    tags = ("predictions",)

    @get(summary="A prediction's latest truth", responses=_REPLIES)
    async def read(self, request: Request[Any, Any, Any], caller: Caller, prediction_id: UUID) -> Response[bytes]:
        """Tell what is true now; `Prefer: wait=N` waits for a held one, 50 seconds at most."""
        asked = asked_from(request.scope["headers"])
        return as_response(await _holds(request).get(prediction_id, caller, asked))

    @delete(status_code=204, summary="End the caller's interest", responses={404: _UNKNOWN, 409: _REPLIES[404]})
    async def cancel(self, request: Request[Any, Any, Any], caller: Caller, prediction_id: UUID) -> None:
        """Close what nobody has begun to judge; 409 once an answer was delivered."""
        await wishes.cancel(_holds(request), prediction_id, caller)

    @post(
        "/report",
        status_code=202,
        summary="Report that an answer is wrong",
        responses={404: _UNKNOWN, 410: _REPLIES[410]},
    )
    async def report(
        self, request: Request[Any, Any, Any], caller: Caller, prediction_id: UUID, data: wishes.Report
    ) -> wishes.Reported:
        """Put the item before people again, once however often it is reported."""
        return await wishes.report(_holds(request), prediction_id, caller, data)


def _holds(request: Request[Any, Any, Any]) -> Holds:
    holds = request.app.state.holds
    assert isinstance(holds, Holds)
    return holds
