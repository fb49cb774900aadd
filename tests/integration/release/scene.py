"""A model that serves, with releases of its version made in an instant, and an operator."""

from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select

from flags.store import StoredState
from gateway.ids import new_id
from gateway.policy import Policy
from gateway.registry.adding import Adding, add
from gateway.registry.card import parse_card
from gateway.store.events import Event, events_about
from gateway.store.flags import current_state
from gateway.store.models import add_release, keep_documents
from gateway.store.schema.serves import ServingHistoryRow, VersionRow
from review.actors import Actor
from review.release.moving import Moved
from review.release.promotion import Promotion, PromotionTold, promote
from review.release.rollback import Rollback, roll_back
from review.store.pointer import history_rows
from tests.integration.registry.scene import CARD
from tests.integration.registry.scene import Scene as Registry
from tests.models import softmax

MODEL = "numbers"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger whose model `numbers` serves its release 1."""

    registry: Registry
    operator: Actor

    async def release(self, guideline: str = "Which class?", card: str = CARD, **policy: object) -> int:
        """Make one more release of version 1; its number."""
        declared = msgspec.structs.replace(
            parse_card(card), policy=msgspec.convert(policy, Policy), guideline=guideline
        )
        async with self.registry.ledger.writing() as w:
            version = (await w.execute(select(VersionRow).where(VersionRow.number == 1))).scalar_one()
            at_us = await w.now_us()
            row = await add_release(w, version, await keep_documents(w, declared, at_us), "person:ada", at_us)
            return row.number

    async def another_file(self, name: str = "other") -> int:
        """Add a version of another model file; the number of its release."""
        file = self.registry.folder / "other.onnx"
        file.write_bytes(
            softmax() + b"\x12" + bytes([len(name)]) + name.encode()
        )  # its producer, as protobuf appends a field
        adding = Adding(tenant_id=self.registry.tenant_id, name=MODEL, file=file, card=CARD, by="person:ada")
        added = await add(self.registry.ledger, self.registry.artifacts, adding)
        return int(added.release.partition("@")[2])

    async def ask(self, number: int, why: str = "better", **more: object) -> PromotionTold:
        """Ask for a promotion; what came of it."""
        asked = msgspec.convert({"number": number, "why": why} | more, Promotion)
        return await promote(self.registry.ledger, self.registry.artifacts, self.operator, MODEL, asked)

    async def promote(self, number: int, why: str = "better", **more: object) -> Moved:
        """Promote a release."""
        told = await self.ask(number, why, **more)
        assert told.moved is not None
        return told.moved

    def as_person(self, name: str) -> "Scene":
        """The same, as another operator."""
        return msgspec.structs.replace(self, operator=operator_of(self.registry.tenant_id, name))

    async def roll_back(self, to: int | None = None, why: str = "worse", **more: object) -> Moved:
        """Roll the model back."""
        asked = msgspec.convert({"to": to, "why": why} | more, Rollback)
        return await roll_back(self.registry.ledger, self.operator, MODEL, asked)

    async def serves(self) -> tuple[str, str | None]:
        """Champion and previous, as a gateway's plan has them."""
        model = (await self.registry.plan()).models[self.registry.tenant_id, MODEL]
        return model.champion.name, model.previous.name if model.previous else None

    async def events(self, *types: str) -> list[Event]:
        """The events of these types about the model, in their order."""
        async with self.registry.ledger.reading() as r:
            return [each for each in await events_about(r, f"model:{MODEL}") if each.type in types]

    async def history(self) -> list[ServingHistoryRow]:
        """What served when, the oldest first."""
        model_id = (await self.registry.plan()).models[self.registry.tenant_id, MODEL].id
        async with self.registry.ledger.reading() as r:
            return (await history_rows(r, model_id))[::-1]

    async def flags(self) -> StoredState:
        """The flags in force."""
        async with self.registry.ledger.reading() as r:
            return await current_state(r)


def operator_of(tenant_id: UUID, name: str = "olga") -> Actor:
    """An operator of every model."""
    return Actor(
        kind="person",
        id=new_id(),
        name=name.title(),
        email=f"{name}@example.org",
        tenant_id=tenant_id,
        roles=frozenset({("operator", None)}),
    )


def damage(path: Path) -> None:
    """Change the last byte of a stored file."""
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
