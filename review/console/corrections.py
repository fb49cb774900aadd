"""The library of corrections under `/console/corrections`: a form whose address is the search, and what it finds."""

from urllib.parse import urlencode

from litestar import Controller, Response, get
from litestar.params import SkipValidation

from gateway.errors import BadRequest
from review.actors import Actor
from review.api.corrections import LIBRARY, FileFormat, download
from review.api.guards import needs
from review.console.pages import Asked, has, page
from review.console.words import CASE_KINDS
from review.library.corrections import Corrections, Library
from review.library.export import MEDIA_TYPES
from review.library.filters import Filters, wanted_of

PAGE = 25
NOTHING = Corrections(corrections=(), next=None, looked_at=0)


class CorrectionsPages(Controller):
    """Corrections."""

    path = "/corrections"
    include_in_schema = False
    dependencies = LIBRARY

    @get("/", **needs("look"))
    async def show(
        self,
        request: Asked,
        actor: Actor,
        library: SkipValidation[Library],
        filters: SkipValidation[Filters],
        after: str = "",
    ) -> Response[str]:
        """What the form's fields let through, the newest first."""
        found, fault = NOTHING, ""
        try:
            found = await library.page(wanted_of(filters), text=filters.q, after=after, limit=PAGE)
        except BadRequest as error:
            fault = str(error)
        return page(
            "corrections.html",
            request,
            status=400 if fault else 200,
            found=found,
            fault=fault,
            filters=filters,
            query=urlencode(filters.given),
            older=urlencode({**filters.given, "after": found.next or ""}),
            kinds=CASE_KINDS,
            formats=MEDIA_TYPES,
            inspects=has(actor, "inspect"),
        )

    @get("/export", **needs("look"), media_type="application/octet-stream")
    async def export(
        self, library: SkipValidation[Library], filters: SkipValidation[Filters], file_format: FileFormat = "csv"
    ) -> Response[bytes]:
        """The same as a file."""
        return download(library, filters, file_format)
