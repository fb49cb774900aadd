"""What gateways ask of the console process; whoever does not have the key of this installation finds nothing here."""

import secrets
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import SkipValidation

from gateway.errors import NotFound
from gateway.http.lookup import KEY_HEADER, MEDIA_TYPE, PATH, encode_decided
from gateway.record.entries import Decided, Delivered
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.logged import logged_prediction


class InternalController(Controller):
    """Questions of gateway processes."""

    path = PATH
    include_in_schema = False

    @get("/{prediction_id:uuid}", **needs("public"))
    async def find(
        self,
        request: Request[Actor, Credentials, State],
        prediction_id: UUID,
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
    ) -> Response[bytes]:
        """A prediction that only the traffic log has, as it was answered."""
        if not secrets.compare_digest(request.headers.get(KEY_HEADER, "").encode(), settings.internal_key.encode()):
            raise NotFound
        found = await traffic_of(settings, ledger).find(prediction_id)
        decided = next((each for each in found if isinstance(each.entry, Decided)), None)
        if decided is None:
            raise NotFound
        told = next((each.entry for each in found if isinstance(each.entry, Delivered)), None)
        assert isinstance(decided.entry, Decided)
        async with ledger.reading() as r:
            prediction = await logged_prediction(r, objects, decided.entry, decided.position, told)
        if prediction is None:
            raise NotFound
        return Response(encode_decided(prediction), media_type=MEDIA_TYPE)
