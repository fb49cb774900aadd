"""Audit cases: follows the traffic log and puts every item that was drawn before people, exactly once.

The cursor of a stretch of the log is committed in the transaction that opens its cases. Killed before the commit, the
stretch is read again; killed after it, never; and a case that is there already is not opened twice. A segment is sealed
only once this consumer has committed its last entry, so nothing drawn is lost to sealing.
"""

from functools import partial
from pathlib import Path

import msgspec
import structlog

from gateway.decision import SettledItem
from gateway.holding.decided import DecidedPrediction, Payloads, Subject
from gateway.holding.later import open_audits, open_missing, subject_of
from gateway.holding.payload import decode_answered
from gateway.metrics import AUDITS
from gateway.record.codec import UNDRAWN_MARKS, may_be_drawn
from gateway.record.entries import Decided
from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.record.reader import Recorded, Stretch
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.predictions import read_prediction
from gateway.store.segments import commit_offset
from review.following import STRETCH_MAX, Passed, follow
from review.logged import kept_payloads, logged_prediction, settled_items, whole

CONSUMER = "audits"


class HeldAudit(msgspec.Struct, frozen=True, kw_only=True):
    """Drawn items of a prediction that the ledger has already, because others of its items were held."""

    subject: Subject
    items: tuple[SettledItem, ...]


class LoggedAudit(msgspec.Struct, frozen=True, kw_only=True):
    """Drawn items of a prediction that only the log has."""

    prediction: DecidedPrediction
    kept: Payloads


Audit = HeldAudit | LoggedAudit


async def follow_audits(
    ledger: Ledger, objects: ObjectStore, traffic: Path, limit: int = STRETCH_MAX, *, passed: Passed | None = None
) -> int:
    """Open the cases of everything in the log that was not read yet; returns how many. Raises: LedgerUnavailable."""
    use = partial(use_stretch, ledger, objects)
    wanted, passing = may_be_drawn, UNDRAWN_MARKS
    return await follow(ledger, traffic, CONSUMER, use, limit, wanted=wanted, passing=passing, passed=passed)


async def use_stretch(ledger: Ledger, objects: ObjectStore, stretch: Stretch) -> int:
    """Open the cases of a stretch and commit it, in one transaction; returns how many cases are new."""
    drawn = [found for found in stretch.entries if isinstance(found.entry, Decided) and found.entry.audited_count]
    async with ledger.reading() as r:
        audits = [await _audit(r, objects, found) for found in drawn]
    async with ledger.writing() as w:
        opened = sum([await _open(w, audit) for audit in audits if audit is not None])
        await commit_offset(w, CONSUMER, stretch.segment, stretch.end)
    AUDITS.add("opened", by=opened)
    return opened


async def _open(w: WriteSession, audit: Audit) -> int:
    """Open the cases that are not there yet; returns how many."""
    if isinstance(audit, LoggedAudit):
        return len(await open_audits(w, audit.prediction, audit.kept))
    drawn = [item for item in audit.items if item.audited]
    return len(await open_missing(w, audit.subject, drawn, "audit", by="worker", now_us=await w.now_us()))


async def _audit(r: ReadSession, objects: ObjectStore, found: Recorded) -> Audit | None:
    """What is needed to open the cases of an entry; None, counted, where its payload is gone."""
    assert isinstance(found.entry, Decided)
    audit = await (_held if found.entry.held_count else _logged)(r, objects, found)
    if audit is None:
        AUDITS.add("lost", by=found.entry.audited_count)
        structlog.get_logger().warning("audit_lost", prediction=str(found.entry.prediction), model=found.entry.model)
    return audit


async def _logged(r: ReadSession, objects: ObjectStore, found: Recorded) -> LoggedAudit | None:
    assert isinstance(found.entry, Decided)
    prediction = await logged_prediction(r, objects, found.entry, found.position)
    if prediction is None:
        return None
    kept = kept_payloads(await whole(found.entry, objects))
    return LoggedAudit(prediction=prediction, kept=kept) if kept is not None else None


async def _held(r: ReadSession, objects: ObjectStore, found: Recorded) -> HeldAudit | None:
    """The drawn items of a hold; none where the hold was never opened, because then nobody was answered either."""
    assert isinstance(found.entry, Decided)
    entry = await whole(found.entry, objects)
    kept = await read_prediction(r, entry.prediction)
    if kept is None or kept.output_sha256 is None:
        return None
    try:
        said = decode_answered(await objects.get(kept.output_sha256))
    except (UnknownObject, DamagedObject):
        return None
    subject = await subject_of(r, kept.id)
    if subject is None:
        return None
    return HeldAudit(subject=subject, items=settled_items(entry, said.answers))
