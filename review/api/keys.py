"""Keys under `/api/v1/keys`: those of services and CI for admins, and everybody's own."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post

from gateway.store.keys import Key, list_keys
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.people.keys import NewKey, end_key, make_personal_key, make_service_key, rotate_key

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Lasts = Annotated[float, msgspec.Meta(gt=0, le=315_360_000)]


class ServiceKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for a service or for CI."""

    name: Name
    scopes: list[str]
    lasts_s: Lasts | None = None


class PersonalKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that acts as oneself."""

    name: Name
    lasts_s: Lasts | None = None


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """For how long the old key goes on working."""

    overlap_s: Annotated[float, msgspec.Meta(ge=0, le=2_592_000)] = 86_400.0


class KeysController(Controller):
    """Keys."""

    path = "/api/v1/keys"
    tags = ("keys",)

    @get("/", **needs("administer"))
    async def list_all(self, ledger: Ledger, actor: Actor) -> list[Key]:
        """Every key, without its text."""
        async with ledger.reading() as r:
            return await list_keys(r, actor.tenant_id)

    @get("/mine", **needs("self"))
    async def list_mine(self, ledger: Ledger, actor: Actor) -> list[Key]:
        """One's own keys, without their text."""
        async with ledger.reading() as r:
            return await list_keys(r, actor.tenant_id, actor.id)

    @post("/", **needs("administer"))
    async def make(self, data: ServiceKey, ledger: Ledger, actor: Actor) -> NewKey:
        """Make a key for a service or for CI; its text is in this answer and nowhere else."""
        async with ledger.writing() as w:
            return await make_service_key(w, actor, data.name, data.scopes, data.lasts_s)

    @post("/mine", **needs("self"))
    async def make_mine(self, data: PersonalKey, ledger: Ledger, actor: Actor) -> NewKey:
        """Make a key that acts as oneself; its text is in this answer and nowhere else."""
        async with ledger.writing() as w:
            return await make_personal_key(w, actor, data.name, data.lasts_s)

    @post("/{key_id:uuid}/rotate", **needs("anyone"))
    async def rotate(self, key_id: UUID, data: Rotation, ledger: Ledger, actor: Actor) -> NewKey:
        """Replace a key; the old one goes on working for a while."""
        async with ledger.writing() as w:
            return await rotate_key(w, actor, key_id, data.overlap_s)

    @delete("/{key_id:uuid}", status_code=204, **needs("anyone"))
    async def revoke(self, key_id: UUID, ledger: Ledger, actor: Actor) -> None:
        """Revoke a key everywhere, within a second."""
        async with ledger.writing() as w:
            await end_key(w, actor, key_id)
