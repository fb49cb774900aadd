"""Which request may reach a handler. Every handler names its permission; one that names none is reached by nobody.

`@get("/x", **needs("operate"))` names the permission of the table in `gateway.access.roles`.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.access.roles import ROLE_PERMISSIONS, Permission, key_may, person_may
from review.actors import Actor
from review.api.authentication import Credentials
from review.people.errors import ForeignOrigin, NotSignedIn, PermissionNeeded, PersonNeeded, StaleForm

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def needs(permission: Permission) -> dict[str, Any]:
    """Keyword arguments of a route decorator that name the permission the handler needs."""
    return {"opt": {"permission": permission}}


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Return if the request may pass. Raises: NotSignedIn, PermissionNeeded, PersonNeeded, ForeignOrigin, StaleForm."""
    permission: Permission | None = handler.opt.get("permission")
    credentials: Credentials = connection.auth
    if permission != "public":
        check_permission(connection.user, credentials.scopes, permission)
    if isinstance(connection, Request) and connection.method not in SAFE:
        check_origin(connection)
        if credentials.session is not None and connection.user is not None:
            await _check_token(connection, credentials.session.csrf)


def check_permission(actor: Actor | None, scopes: frozenset[str], permission: Permission | None) -> None:
    """Return if the actor has the permission. Raises: NotSignedIn, PermissionNeeded, PersonNeeded."""
    if actor is None:
        raise NotSignedIn
    if permission == "self" and actor.kind != "person":
        raise PersonNeeded
    if permission is None or not _has(actor, scopes, permission):
        holders = [role for role, held in ROLE_PERMISSIONS.items() if permission in held]
        raise PermissionNeeded(permission=permission or "none", roles=", ".join(holders) or "nobody")


def _has(actor: Actor, scopes: frozenset[str], permission: Permission) -> bool:
    if actor.kind == "person":
        return person_may(frozenset(role for role, _ in actor.roles), permission)
    return key_may(scopes, permission)


def check_origin(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Return if no browser sends this from another site's page. Raises: ForeignOrigin.

    Programs send no Origin; browsers send one with every unsafe request, and a cookie without one is not believed.
    """
    origin = connection.headers.get("origin")
    credentials: Credentials = connection.auth
    if origin is None:
        if credentials.session is not None and connection.headers.get("sec-fetch-site") != "same-origin":
            raise ForeignOrigin
        return
    ours = {connection.headers.get("host", ""), urlsplit(connection.app.state.link_url).netloc} - {""}
    if urlsplit(origin).netloc not in ours:
        raise ForeignOrigin


async def _check_token(connection: Request[Any, Any, Any], expected: str) -> None:
    sent = connection.headers.get(CSRF_HEADER)
    if sent is None and connection.headers.get("content-type", "").startswith(FORMS):
        sent = str((await connection.form()).get(CSRF_FIELD, ""))
    if not secrets.compare_digest((sent or "").encode(), expected.encode()):
        raise StaleForm
