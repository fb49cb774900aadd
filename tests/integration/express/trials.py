"""A plain model with a candidate on trial, whose requests go the one way or the other."""

import asyncio
import time
from uuid import UUID

from sqlalchemy import select

from flags.definitions import switched
from flags.embedded import EmbeddedFlags
from flags.store import Authorship
from gateway.record.entries import Decided, Shadowed
from gateway.record.payloads import LocalObjects
from gateway.record.reader import tail
from gateway.registry.adding import Adding, add
from gateway.store.flags import LedgerFlagStore
from gateway.store.models import known_model
from gateway.store.schema.serves import ReleaseRow
from gateway.times import now_us
from tests.bench.stand import Stand
from tests.trials import Trial, open_trial


async def put_on_trial(stand: Stand, file: bytes, card: str, *, model: str = "m", probability: float = 1.0) -> Trial:
    """The model's next release, on trial and in the shadow of every answer."""
    path = stand.folder / "candidate.onnx"
    await asyncio.to_thread(path.write_bytes, file)
    adding = Adding(tenant_id=stand.tenant_id, name=model, file=path, card=card, by="test")
    added = await add(stand.ledger, LocalObjects(stand.folder / "artifacts"), adding)
    async with stand.ledger.writing() as w:
        known = await known_model(w, stand.tenant_id, model)
        number = int(added.release.partition("@")[2])
        found = select(ReleaseRow.id).where(ReleaseRow.model_id == known.id, ReleaseRow.number == number)
        candidate: UUID = (await w.execute(found)).scalar_one()
        trial = await open_trial(w, known.id, candidate, probability)
    await shadow(stand, model)
    return trial


async def shadow(stand: Stand, model: str = "m", *, on: bool = True) -> None:
    """Switch the model's shadow flag, and follow."""
    flags = EmbeddedFlags(LedgerFlagStore(stand.ledger, stand.tenant_id))
    flag = f"{model}.shadow"
    await flags.change(
        lambda state: switched(state, flag, on=on), (flag,), Authorship(by="test", why="test", at_us=now_us())
    )
    await stand.follower.refresh()


def shadowed(stand: Stand) -> list[Shadowed]:
    """Every run beside an answer that the log tells of, in order."""
    return [found for found in _logged(stand) if isinstance(found, Shadowed)]


def decided(stand: Stand) -> list[Decided]:
    """Every prediction that the log tells of, in order."""
    return [found for found in _logged(stand) if isinstance(found, Decided)]


async def until(stand: Stand, count: int) -> list[Shadowed]:
    """The runs beside answers, once so many have ended."""
    deadline = time.monotonic() + 60
    while len(found := shadowed(stand)) < count:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.005)
    return found


def _logged(stand: Stand) -> list[object]:
    return [each.entry for one in tail(stand.folder / "traffic" / "open", {}) for each in one.entries]
