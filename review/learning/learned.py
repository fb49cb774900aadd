"""What a release was trained with: the files of a dataset, ready to be attached to it."""

from collections.abc import Mapping

from gateway.store.ledger import ReadSession
from gateway.store.schema.serves import AttachedRole, ModelRow
from review.learning.errors import OtherModel, UnknownDataset
from review.learning.manifest import read_manifest
from review.store.datasets import find_dataset


async def trained_with(r: ReadSession, model: ModelRow, dataset: str) -> Mapping[AttachedRole, str]:
    """The dataset and its annotation history by role, for a release that learned from its training split.

    The first characters of the dataset's SHA-256 will do. Raises: UnknownDataset, OtherModel.
    """
    found = await find_dataset(r, model.tenant_id, dataset)
    if found is None:
        raise UnknownDataset(dataset=dataset[:80])
    row, of_model = found
    if row.model_id != model.id:
        raise OtherModel(dataset=row.sha256[:12], model=of_model, release=model.name)
    return {"data": row.sha256, "annotations": read_manifest(row.manifest).annotations.sha256}
