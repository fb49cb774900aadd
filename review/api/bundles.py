"""Bundles under `/api/v1/models/{model}/releases/{release}/bundle`: a release in one archive."""

from litestar import Controller, Response, get
from litestar.response import Stream

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import number_of
from review.bundle.taking import pieces, take

ZIP = "application/zip"


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
