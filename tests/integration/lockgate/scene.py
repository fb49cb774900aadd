"""The console's application on a real ledger, with people and keys to ask as."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar
from litestar.types import ASGIApp

from flags.source import FlagHome
from flags.unleash.place import Place
from gateway.access.keys import make_key
from gateway.access.passwords import hash_password
from gateway.access.roles import Role
from gateway.record.payloads import LocalObjects
from gateway.store.keys import add_key
from gateway.store.ledger import Ledger
from review.api.app import around, create_router, state_of
from review.api.handlers import HANDLERS
from review.api.parts import ApiSettings, Parts
from review.people.keys import make_personal_key
from review.people.sessions import Attempts, actor_of_person
from review.store.people import Grant, add_grant, add_person, default_tenant

PASSWORD = "a long pass phrase of the tests"
URL = "http://lockgate.test"
_IDLE: list[Litestar] = []
"""Applications that no scene uses now: making one takes longer than most tests, putting it over other parts nothing."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with its application in this process."""

    ledger: Ledger
    tenant_id: UUID
    http: httpx.AsyncClient
    transport: httpx.ASGITransport

    async def person(self, name: str, *roles: Role) -> str:
        """The personal key of a new person with these roles."""
        async with self.ledger.writing() as w:
            who = {"name": name, "email": f"{name}@example.org", "password_hash": kept_password()}
            person_id = await add_person(w, **who, replayed=False)
            for role in roles:
                await add_grant(w, person_id=person_id, grant=Grant(role=role), tenant_id=self.tenant_id, by="worker")
            actor = await actor_of_person(w, person_id)
            assert actor is not None
            return (await make_personal_key(w, actor, "tests", None)).key

    async def service(self, *scopes: str) -> str:
        """A key that belongs to nobody."""
        made = make_key()
        async with self.ledger.writing() as w:
            await add_key(
                w, made, tenant_id=self.tenant_id, name="service", scopes=scopes, person_id=None, expires_us=None
            )
        return made.text

    def browser(self) -> httpx.AsyncClient:
        """A client with cookies of its own."""
        return httpx.AsyncClient(transport=self.transport, base_url=URL)


@cache
def kept_password() -> str:
    """What the ledger keeps of everybody's password, hashed once: that is slow on purpose."""
    return hash_password(PASSWORD)


@contextmanager
def application(parts: Parts) -> Iterator[ASGIApp]:
    """The console's application over these parts, which no other scene uses meanwhile."""
    router = _IDLE.pop() if _IDLE else create_router(parts, HANDLERS)
    router.state.update(state_of(parts))
    yield around(router)
    _IDLE.append(router)


@asynccontextmanager
async def open_scene(
    ledger_url: str, folder: Path, unleash: Place | None = None, flags: FlagHome | None = None
) -> AsyncIterator[Scene]:
    """A scene on a migrated ledger."""
    ledger = Ledger.open(ledger_url, flags=flags)
    settings = ApiSettings(
        link_url=URL,
        secure_cookies=False,
        session_s=3600.0,
        invitation_s=60.0,
        body_max_bytes=100_000,
        upload_max_bytes=1_000_000,
        data_directory=folder,
        artifacts=folder / "artifacts",
        payloads_url=str(folder / "objects"),
        traffic=folder / "traffic",
        internal_key="tests",
        recipes=folder / "recipes",
        unleash=unleash,
    )
    parts = Parts(settings=settings, ledger=ledger, objects=LocalObjects(folder / "objects"), attempts=Attempts())
    parts.streams.close()  # the transport collects a whole answer, and a stream has no end
    async with ledger.reading() as r:
        tenant_id = await default_tenant(r)
    with application(parts) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
            yield Scene(ledger=ledger, tenant_id=tenant_id, http=http, transport=transport)
    await ledger.close()
