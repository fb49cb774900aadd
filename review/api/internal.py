"""What other processes ask of the console; whoever does not have the key of this installation finds nothing here."""

import secrets
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import SkipValidation

from gateway.errors import NotFound
from gateway.holding.arriving import TruthBatch, TruthReceipts
from gateway.holding.decided import Unkept
from gateway.http.internal import KEY_HEADER, Founded
from gateway.http.lookup import MEDIA_TYPE, encode_decided, encode_unkept
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.arriving import record_truths
from review.logged import find_logged
from review.people.joining import has_admin


class InternalController(Controller):
    """Questions of gateway processes and of the supervisor."""

    path = "/internal"
    include_in_schema = False

    @get("/predictions/{prediction_id:uuid}", **needs("public"))
    async def find(
        self,
        request: Request[Actor, Credentials, State],
        prediction_id: UUID,
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
    ) -> Response[bytes]:
        """A prediction that only the traffic log has, as it was answered; 410 where what was said is not kept."""
        _check_key(request, settings)
        prediction = await find_logged(ledger, traffic_of(settings, ledger), objects, prediction_id)
        if prediction is None:
            raise NotFound
        if isinstance(prediction, Unkept):
            return Response(encode_unkept(prediction), status_code=410, media_type=MEDIA_TYPE)
        return Response(encode_decided(prediction), media_type=MEDIA_TYPE)

    @post("/outcomes", status_code=200, **needs("public"))
    async def record(
        self,
        request: Request[Actor, Credentials, State],
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
    ) -> TruthReceipts:
        """Truth that a service learned by itself, recorded."""
        _check_key(request, settings)
        batch = msgspec.msgpack.decode(await request.body(), type=TruthBatch)
        return await record_truths(ledger, traffic_of(settings, ledger), objects, batch)

    @get("/founded", **needs("public"))
    async def founded(
        self, request: Request[Actor, Credentials, State], ledger: Ledger, settings: ApiSettings
    ) -> Founded:
        """Whether this installation has its first admin, for the greeting."""
        _check_key(request, settings)
        return Founded(by_admin=await has_admin(ledger))


def _check_key(request: Request[Actor, Credentials, State], settings: ApiSettings) -> None:
    """Return if a process of this installation asks. Raises: NotFound."""
    shown = request.headers.get(KEY_HEADER, "")
    if not secrets.compare_digest(shown.encode(), settings.internal_key.encode()):
        raise NotFound
