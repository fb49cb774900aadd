"""The SQL of what datasets are made from: a model's outcomes and verdicts, in pages, in the order of their keys.

Both run over a whole model, a million rows if need be. They are plain SQL whose values come as the database gives them,
because converting each of them would take longer than everything else.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import TextClause, text

from gateway.store.ledger import ReadSession
from gateway.store.schema.work import CaseKind

PAGE = 10_000
RawId = bytes | UUID
"""An id as the database gives it: 16 bytes on SQLite."""
_FIRST = UUID(int=0)

_OUTCOMES = text("""
SELECT o.prediction_id, o.item, o.revision, o.source, o.status, o.answer, o.created_us,
  (SELECT count(*) FROM outcome_verdict v
   WHERE v.prediction_id = o.prediction_id AND v.item = o.item AND v.revision = o.revision) AS people,
  c.kind, c.inclusion_probability, c.answer AS said, c.score,
  p.items, p.facts, p.created_us AS decided_us, l.sha256 AS payload, l.expires_us, l.erased_us
FROM outcome o
CROSS JOIN prediction p
LEFT JOIN "case" c ON c.id = (
  SELECT x.id FROM "case" x WHERE x.prediction_id = o.prediction_id AND x.item = o.item
  ORDER BY CASE x.kind WHEN 'hold' THEN 0 WHEN 'audit' THEN 1 WHEN 'disagreement' THEN 2 WHEN 'report' THEN 3 ELSE 4 END
  LIMIT 1)
LEFT JOIN payload l ON l.id = p.input_payload_id
LEFT JOIN outcome_undone u ON u.prediction_id = o.prediction_id AND u.item = o.item AND u.revision = o.revision
WHERE p.id = o.prediction_id AND p.model_id = :model AND u.prediction_id IS NULL
  AND (o.prediction_id, o.item, o.revision) > (:prediction, :item, :revision)
ORDER BY o.prediction_id, o.item, o.revision LIMIT :page
""")
_VERDICTS = text("""
SELECT c.prediction_id, c.item, v.id, c.kind AS case_kind, v.person_id, v.kind, v.answer, v.reason_code, v.rationale,
  v.created_us, v.active_s, v.guideline, v.round, CASE WHEN v.adjudicated THEN 1 ELSE 0 END AS adjudicated,
  CASE WHEN v.round = c.round THEN 1 ELSE 0 END AS effective
FROM "case" c JOIN verdict v ON v.case_id = c.id
WHERE c.model_id = :model AND c.prediction_id >= :prediction
  AND (c.prediction_id, c.item, v.id) > (:prediction, :item, :verdict)
ORDER BY c.prediction_id, c.item, v.id LIMIT :page
""")


class FoundOutcome(NamedTuple):
    """A revision of an item's outcome with what is known about its item; not undone. A tuple, for the speed of it."""

    prediction_id: bytes
    item: int
    revision: int
    source: str
    status: str
    answer: str | None
    created_us: int
    verdicts: int
    """On how many it rests."""
    kind: CaseKind | None
    """Of the item's case that says most about how it was chosen; none where it never had one."""
    inclusion_probability: float | None
    said: str | None
    """The model's answer."""
    score: float | None
    items: int
    facts: str
    decided_us: int
    payload: str | None
    expires_us: int | None
    erased_us: int | None

    @property
    def undone(self) -> bool:
        """Never: undone ones are not read."""
        return False


class FoundVerdict(NamedTuple):
    """A verdict on an item."""

    prediction_id: bytes
    item: int
    id: bytes
    case_kind: str
    person_id: bytes
    kind: str
    answer: str | None
    reason_code: str
    rationale: str | None
    created_us: int
    active_s: float
    guideline: str
    round: int
    adjudicated: int
    """1 for a lead's, else 0."""
    effective: int
    """0 once its round was undone, else 1."""


async def are_many_outcomes(r: ReadSession, many: int) -> bool:
    """Whether the ledger has more outcomes than that, of whatever model."""
    found = await r.execute(text("SELECT 1 FROM outcome LIMIT 1 OFFSET :many"), {"many": many})
    return found.first() is not None


async def outcomes_in_order(r: ReadSession, model_id: UUID) -> AsyncIterator[Sequence[FoundOutcome]]:
    """Every outcome of a model that was not undone, in pages, by prediction, item and revision."""
    after: dict[str, Any] = {"prediction": raw(r, _FIRST), "item": 0, "revision": 0}
    while page := await _page(r, _OUTCOMES, model_id, after):
        after = dict(zip(("prediction", "item", "revision"), page[-1][:3], strict=True))
        yield [FoundOutcome._make(_plain(row)) for row in page] if r.locks_rows else [*map(FoundOutcome._make, page)]


async def verdicts_in_order(r: ReadSession, model_id: UUID) -> AsyncIterator[Sequence[FoundVerdict]]:
    """Every verdict on a model's items, in pages, by prediction, item and verdict."""
    after: dict[str, Any] = {"prediction": raw(r, _FIRST), "item": 0, "verdict": raw(r, _FIRST)}
    while page := await _page(r, _VERDICTS, model_id, after):
        after = dict(zip(("prediction", "item", "verdict"), page[-1][:3], strict=True))
        yield [FoundVerdict._make(_plain(row)) for row in page] if r.locks_rows else [*map(FoundVerdict._make, page)]


def _plain(row: Sequence[Any]) -> Iterator[Any]:
    """The values of a row with ids as bytes, whatever the database gives."""
    return (value.bytes if isinstance(value, UUID) else value for value in row)


def raw(r: ReadSession, identifier: UUID) -> RawId:
    """The id as this database keeps it."""
    return identifier if r.locks_rows else identifier.bytes


def raw_of_texts(r: ReadSession, identifiers: Sequence[str]) -> list[RawId]:
    """Ids as this database keeps them, out of their texts."""
    if r.locks_rows:
        return [UUID(each) for each in identifiers]
    return [bytes.fromhex(each.replace("-", "")) for each in identifiers]


def id_text(identifier: bytes) -> str:
    """The id in 16 bytes as text."""
    digits = identifier.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


async def _page(
    r: ReadSession, statement: TextClause, model_id: UUID, after: dict[str, Any]
) -> Sequence[tuple[Any, ...]]:
    found = await r.execute(statement, {"model": raw(r, model_id), "page": PAGE} | after)
    return cast("Sequence[tuple[Any, ...]]", found.all())
