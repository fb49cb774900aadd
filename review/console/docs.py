"""The reference under `/docs`: every route of both interfaces, and every error, as pages that need no script."""

import asyncio
from functools import lru_cache
from importlib.metadata import version

from litestar import Controller, Response, get

from flags.errors import FlagsError
from gateway.errors import GatewayError
from review.api.guards import needs
from review.console.pages import Asked, page
from review.console.reference import Reference, errors_of, reference_of
from review.errors import ReviewError

PROTOCOL = "/v2/openapi/openapi.json"
API = "/api/v1/openapi/openapi.json"


class DocsController(Controller):
    """The reference."""

    path = "/docs"
    include_in_schema = False

    @get("/", **needs("public"))
    async def show(self, request: Asked) -> Response[str]:
        """Every route, with what it takes and gives."""
        protocol = await asyncio.to_thread(_protocol)
        api = reference_of(request.app.openapi_schema.to_schema(), API)
        return page("docs.html", request, references=[protocol, api])

    @get("/errors", **needs("public"))
    async def show_errors(self, request: Asked) -> Response[str]:
        """Every error; the `type` of a problem leads to its line."""
        await asyncio.to_thread(_protocol)  # whose errors are known once its modules are
        return page("docs_errors.html", request, errors=errors_of((GatewayError, ReviewError, FlagsError)))


@lru_cache(maxsize=1)
def _protocol() -> Reference:
    """The gateway's reference. Its modules are imported now, because only this page needs them here."""
    from gateway.http.beside import protocol_document

    return reference_of(protocol_document(version("lockgate")), PROTOCOL)
