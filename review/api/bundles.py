"""Bundles: a release in one archive, under `/api/v1/models/{model}/releases/{release}/bundle` and `/api/v1/bundles`."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from gateway.inference.report import AdmissionLimits
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.models import UNREADABLE, keep, upload_fits
from review.api.parts import ApiSettings
from review.api.releases import number_of
from review.bundle.importing import Admission, Imported, bring_in
from review.bundle.taking import pieces, take

ZIP = "application/zip"


@dataclass(frozen=True, kw_only=True)
class BundleForm:
    """A bundle as the one part of a form."""

    file: UploadFile


class BundlesController(Controller):
    """Bundles."""

    path = "/api/v1"
    tags = ("releases",)

    @get("/models/{model:str}/releases/{release:str}/bundle", media_type=ZIP, **needs("inspect"))
    async def take(
        self, model: str, release: str, ledger: Ledger, actor: Actor, settings: ApiSettings
    ) -> Response[bytes]:
        """A release with everything that belongs to it as one zip, for its operators and auditors; it is recorded."""
        artifacts, number = LocalObjects(settings.artifacts), number_of(model, release)
        taken = await take(ledger, artifacts, actor, model, number, settings.data_directory)
        headers = {
            "content-disposition": f'attachment; filename="{model}-{number}.bundle.zip"',
            "content-length": str(taken.size),
            "cache-control": "no-store",
        }
        return Stream(pieces(taken.file), media_type=ZIP, headers=headers)  # type: ignore[return-value]

    @post(
        "/bundles", request_max_body_size=None, guards=[upload_fits], exception_handlers=UNREADABLE, **needs("operate")
    )
    async def bring_in(
        self,
        data: Annotated[BundleForm, Body(media_type=RequestEncodingType.MULTI_PART)],
        ledger: Ledger,
        actor: Actor,
        settings: ApiSettings,
    ) -> Imported:
        """Import a bundle: a version that is admitted like any other, its release, and what is attached to it."""
        with TemporaryDirectory(prefix="upload-", dir=settings.data_directory) as folder:
            file = Path(folder, "bundle.zip")
            await keep(data.file, file)
            limits = AdmissionLimits(file_max_bytes=settings.upload_max_bytes)
            admission = Admission(limits=limits, upstreams=settings.upstreams, machine=settings.machine)
            return await bring_in(ledger, LocalObjects(settings.artifacts), actor, file, admission)
