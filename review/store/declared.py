"""The SQL of what operators declare for a model, revision by revision: what the gate asks for and the guard watches."""

from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import insert, select

from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import DeclaredRow, GateRow, GuardRow, ModelRow
from review.release.declared import Declared
from review.release.gate import Thresholds
from review.release.guarding import Declaration

T = TypeVar("T")


class Declarations(Generic[T]):
    """The declarations of one table; events are named after it."""

    def __init__(self, table: type[DeclaredRow], declaration: type[T]) -> None:
        self._table = table
        self._declaration = declaration

    async def of(self, r: ReadSession, model_id: UUID, limit: int | None = None) -> list[Declared[T]]:
        """Everything that was ever declared for a model, the latest first."""
        rows = select(self._table).where(self._table.model_id == model_id).order_by(self._table.revision.desc())
        return [self._declared(row) for row in (await r.execute(rows.limit(limit))).scalars()]

    async def latest(self, r: ReadSession, model_id: UUID) -> Declared[T] | None:
        """What was declared last for a model; without a declaration in it where that was cleared."""
        return next(iter(await self.of(r, model_id, limit=1)), None)

    async def declare(
        self,
        w: WriteSession,
        model: ModelRow,
        declaration: T | None,
        *,
        by: str,
        why: str,
        asks: str | None = None,
        second_person: str | None = None,
    ) -> Declared[T]:
        """Declare anew for a locked model, or clear what was; the event says in words what is asked for since."""
        before, now = await self.latest(w, model.id), await w.now_us()
        revision = before.revision + 1 if before is not None else 1
        body = msgspec.json.encode(declaration).decode() if declaration is not None else None
        row = {"model_id": model.id, "revision": revision, "body": body, "by": by, "why": why, "declared_us": now}
        await w.execute(insert(self._table).values(**row))
        event = f"{self._table.__tablename__}.{'declared' if declaration is not None else 'cleared'}"
        data = {"revision": revision, "declaration": msgspec.to_builtins(declaration), "why": why}
        told = {"asks": asks, "second_person": second_person}
        data |= {name: value for name, value in told.items() if value is not None}
        await append_event(w, event, f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=now)
        return Declared(revision=revision, declaration=declaration, by=by, why=why, declared_us=now)

    async def clear(self, w: WriteSession, model: ModelRow, *, by: str, why: str, asks: str | None = None) -> bool:
        """Clear what is declared for a locked model; False where nothing is."""
        before = await self.latest(w, model.id)
        if before is None or before.declaration is None:
            return False
        await self.declare(w, model, None, by=by, why=why, asks=asks)
        return True

    def _declared(self, row: DeclaredRow) -> Declared[T]:
        return Declared(
            revision=row.revision,
            declaration=msgspec.json.decode(row.body, type=self._declaration) if row.body is not None else None,
            by=row.by,
            why=row.why,
            declared_us=row.declared_us,
        )


GATE = Declarations(GateRow, Thresholds)
GUARD = Declarations(GuardRow, Declaration)
