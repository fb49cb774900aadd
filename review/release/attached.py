"""Whether everything that is attached to a release is kept, byte for byte as its digest says."""

from collections.abc import Sequence
from typing import Literal

from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import ObjectStore
from review.store.releases import Attached

Kept = Literal["kept", "missing", "changed"]
FILES = {
    "model": "model file",
    "data": "data snapshot",
    "annotations": "annotation history",
    "report": "evaluation report",
}
FAULTS: dict[Kept, str] = {"missing": "is missing.", "changed": "has other bytes than its digest says."}


async def attachment_faults(artifacts: ObjectStore, attached: Sequence[Attached]) -> tuple[str, ...]:
    """Each attached file that is missing or is not what it was, as a sentence."""
    return tuple([fault for each in attached if (fault := await _fault(artifacts, each)) is not None])


async def kept(artifacts: ObjectStore, sha256: str) -> Kept:
    """Whether an artifact is kept as it was; reads it through."""
    try:
        await artifacts.verify(sha256)
    except UnknownObject:
        return "missing"
    except DamagedObject:
        return "changed"
    return "kept"


async def _fault(artifacts: ObjectStore, attached: Attached) -> str | None:
    found = FAULTS.get(await kept(artifacts, attached.sha256))
    return found and f"The {FILES[attached.role]} {attached.sha256[:12]}… {found}"
