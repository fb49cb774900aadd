"""The library of corrections under `/api/v1/corrections`: every settled outcome, searched, paged and exported."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.di import Provide
from litestar.params import Parameter, QueryParameter, SkipValidation
from litestar.response import Stream

from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.guards import needs
from review.library.corrections import PAGE_MAX, Correction, Corrections, Library
from review.library.export import MEDIA_TYPES, Format, export
from review.library.filters import Filters, sight_of, wanted_of

Objects = SkipValidation[ObjectStore]
Text = Annotated[str, Parameter(description="A text in what was shown, in a rationale, or a prediction's id.")]
Release = Annotated[str, Parameter(description="Such as `sentiment@7`.")]
Kind = Annotated[str, Parameter(description="The kind of case: hold, audit, disagreement, report or drift.")]
Source = Annotated[str, Parameter(description="`people`, `adjudication`, `truth`, or `truth:NAME`.")]
Differs = Annotated[str, Parameter(description="`yes` where it differs from the model's answer, `no` where not.")]
FileFormat = Annotated[Format, QueryParameter(name="format", description="parquet, csv or jsonl.")]
Moment = Annotated[str, Parameter(description="A day or an RFC 3339 time; UTC unless it says otherwise.")]


async def provide_filters(
    q: Text = "",
    model: str = "",
    release: Release = "",
    kind: Kind = "",
    source: Source = "",
    differs: Differs = "",
    answer: str = "",
    model_answer: str = "",
    reason: str = "",
    reviewer: Annotated[str, Parameter(description="The e-mail address of somebody who judged.")] = "",
    since: Moment = "",
    until: Moment = "",
) -> Filters:
    """What the address asks for."""
    return Filters(
        q=q.strip(), model=model, release=release, kind=kind, source=source, differs=differs, answer=answer,
        model_answer=model_answer, reason=reason, reviewer=reviewer, since=since, until=until,
    )  # fmt: skip


async def provide_library(ledger: Ledger, objects: Objects, actor: Actor, credentials: Credentials) -> Library:
    """The library as whoever asks may see it."""
    async with ledger.reading() as r:
        sight = await sight_of(r, actor, credentials.scopes)
    return Library(ledger, objects, sight)


LIBRARY = {"filters": Provide(provide_filters), "library": Provide(provide_library)}
"""What handlers of the library may ask for."""


class CorrectionsController(Controller):
    """The library of corrections."""

    path = "/api/v1/corrections"
    tags = ("corrections",)
    dependencies = LIBRARY

    @get("/", **needs("look"), summary="Settled outcomes, the newest first")
    async def list(
        self,
        library: SkipValidation[Library],
        filters: SkipValidation[Filters],
        after: Annotated[str, Parameter(description="The `next` of the page before.")] = "",
        limit: Annotated[int, Parameter(ge=1, le=PAGE_MAX)] = 50,
    ) -> Corrections:
        """A page of what one may see: everything of models that one inspects, else one's own queues."""
        page = await library.page(wanted_of(filters), text=filters.q, after=after, limit=limit)
        return msgspec.structs.replace(page, corrections=tuple(map(_without_pictures, page.corrections)))

    @get("/export", **needs("look"), summary="Settled outcomes as a file", media_type="application/octet-stream")
    async def export(
        self,
        library: SkipValidation[Library],
        filters: SkipValidation[Filters],
        file_format: FileFormat = "jsonl",
    ) -> Response[bytes]:
        """Everything that the filters let through, streamed, with the same columns in each format."""
        return download(library, filters, file_format)


def download(library: Library, filters: Filters, format_: Format) -> Response[bytes]:
    """The file of what the filters let through. Raises: FilterUnknown."""
    corrections = library.each(wanted_of(filters), filters.q)
    headers = {
        "content-disposition": f'attachment; filename="corrections.{format_}"',
        "cache-control": "no-store",
    }
    return Stream(export(corrections, format_), media_type=MEDIA_TYPES[format_], headers=headers)  # type: ignore[return-value]


def _without_pictures(correction: Correction) -> Correction:
    """The correction without the bytes of its pictures, which its prediction's page shows."""
    shown = tuple(msgspec.structs.replace(one, source="") for one in correction.shown)
    return msgspec.structs.replace(correction, shown=shown)
