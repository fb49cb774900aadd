"""Whether everything that is attached to a release is kept, byte for byte as its digest says."""

from collections.abc import Sequence

from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import ObjectStore
from review.store.releases import Attached

FILES = {"model": "model file", "data": "data snapshot", "annotations": "annotation history", "report": "report"}


async def attachment_faults(artifacts: ObjectStore, attached: Sequence[Attached]) -> tuple[str, ...]:
    """Each attached file that is missing or is not what it was, as a sentence."""
    return tuple([fault for each in attached if (fault := await _fault(artifacts, each)) is not None])


async def _fault(artifacts: ObjectStore, attached: Attached) -> str | None:
    named = f"The {FILES[attached.role]} {attached.sha256[:12]}…"
    try:
        await artifacts.verify(attached.sha256)
    except UnknownObject:
        return f"{named} is missing."
    except DamagedObject:
        return f"{named} has other bytes than its digest says."
    return None
