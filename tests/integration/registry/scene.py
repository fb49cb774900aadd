"""A ledger with artifacts to add model files to, and a follower of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from gateway.ids import new_id
from gateway.inference.graphs import GraphCache
from gateway.plan import Plan
from gateway.protocol.decode import Limits
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Added, Adding, add
from gateway.registry.follower import Follower
from gateway.store.ledger import Ledger
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.who import TenantRow
from gateway.store.serving import read_plan
from tests.models import softmax

CARD = """
guideline = "Which class?"

[about]
owner = "Tests"
contact = "tests@example.org"
intended_use = "To be followed."
limitations = "Made up."

[[shown]]
input = "x"
kind = "table"

[answer]
output = "probabilities"
takes = "argmax"
confidence = "probabilities"
classes = ["a", "b", "c"]

[labels]
kind = "choice"
choices = [{ value = "a" }, { value = "b" }, { value = "c" }]
"""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with artifacts."""

    ledger: Ledger
    artifacts: LocalObjects
    folder: Path
    tenant_id: UUID

    async def add(
        self, name: str = "numbers", *, features: int = 4, card: str = CARD, model: bytes | None = None
    ) -> Added:
        """Add a small model of so many features, or another one."""
        file = self.folder / f"{new_id()}.onnx"  # others may add at this moment
        file.write_bytes(model or softmax(features))
        adding = Adding(tenant_id=self.tenant_id, name=name, file=file, card=card, by="person:ada@example.org")
        return await add(self.ledger, self.artifacts, adding)

    async def plan(self) -> Plan:
        """The plan that the ledger has."""
        async with self.ledger.reading() as r:
            return await read_plan(r)

    async def events(self) -> list[tuple[str, str]]:
        """Type and subject of every event, in the order of their ids."""
        async with self.ledger.reading() as r:
            rows = await r.execute(select(EventRow.type, EventRow.subject).order_by(EventRow.id))
            return [(row[0], row[1]) for row in rows]

    async def count(self, table: type) -> int:
        """How many rows a table has."""
        async with self.ledger.reading() as r:
            return int((await r.execute(select(func.count()).select_from(table))).scalar_one())

    def follower(
        self,
        ledger: Ledger | None = None,
        artifacts: LocalObjects | None = None,
        graphs: GraphCache | None = None,
    ) -> Follower:
        """A follower of the ledger, or of another one, with this folder's snapshot."""
        return Follower(
            ledger or self.ledger,
            artifacts or self.artifacts,
            self.folder / "snapshot.msgpack",
            limits=Limits(),
            threads=1,
            graphs=graphs,
        )


@asynccontextmanager
async def open_scene(ledger_url: str, folder: Path) -> AsyncIterator[Scene]:
    """A scene on a migrated ledger."""
    ledger = Ledger.open(ledger_url)
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    yield Scene(ledger=ledger, artifacts=LocalObjects(folder / "artifacts"), folder=folder, tenant_id=tenant_id)
    await ledger.close()
