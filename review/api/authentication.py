"""Who sends a request: a signed-in browser or a key. Anonymous requests pass on; the guard decides about them."""

import msgspec
from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from gateway.access.keys import bearer, digest
from gateway.plan import Caller
from gateway.store.keys import find_caller
from gateway.store.ledger import Ledger, ReadSession
from review.actors import Actor
from review.people.sessions import COOKIE, actor_of_person, session_of
from review.store.people import Session


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody showed who they are: by session, by key, or not at all."""

    session: Session | None = None
    scopes: frozenset[str] = frozenset()


class Authentication(AbstractAuthenticationMiddleware):
    """Puts an `Actor` (or None) into `request.user` and the `Credentials` into `request.auth`."""

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:  # type: ignore[type-arg]
        """The actor of a request. A key counts before a cookie."""
        ledger: Ledger = connection.app.state.ledger
        key = bearer(connection.headers.get("authorization"))
        cookie = connection.cookies.get(COOKIE)
        if key is None and not cookie:
            return AuthenticationResult(user=None, auth=Credentials())
        async with ledger.reading() as r:
            if key is not None:
                return await _by_key(r, key)
            return await _by_cookie(r, str(cookie))


async def _by_key(r: ReadSession, key: str) -> AuthenticationResult:
    caller = await find_caller(r, digest(key), await r.now_us())
    if caller is None:
        return AuthenticationResult(user=None, auth=Credentials())
    actor = await _actor_of(r, caller)
    return AuthenticationResult(user=actor, auth=Credentials(scopes=caller.scopes))


async def _actor_of(r: ReadSession, caller: Caller) -> Actor | None:
    if caller.person_id is not None:
        return await actor_of_person(r, caller.person_id, caller.key_id)
    return Actor(kind="key", id=caller.key_id, name=caller.key_name, tenant_id=caller.tenant_id, key_id=caller.key_id)


async def _by_cookie(r: ReadSession, cookie: str) -> AuthenticationResult:
    session = await session_of(r, cookie)
    if session is None:
        return AuthenticationResult(user=None, auth=Credentials())
    actor = await actor_of_person(r, session.person_id)
    return AuthenticationResult(user=actor, auth=Credentials(session=session))
