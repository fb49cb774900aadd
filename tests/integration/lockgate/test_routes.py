"""Every route of the console process against every role, read off the application itself."""

import re
from collections.abc import Iterator
from typing import get_args

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from gateway.access.roles import ROLES, Permission, Role, key_may, person_may
from review.api.handlers import HANDLERS
from tests.integration.lockgate.scene import Scene

REFUSED = {"not-signed-in", "permission-needed", "person-needed"}
NIL = "00000000-0000-7000-8000-000000000000"


def routes() -> Iterator[tuple[str, str, Permission | None]]:
    """Method, path and permission of every route."""
    app = Litestar(list(HANDLERS), openapi_config=None, logging_config=None)
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    yield method, route.path_format, handler.opt.get("permission")


ROUTES = sorted(routes())


def test_every_route_names_its_permission() -> None:
    """A route without one would be reached by nobody; a new route cannot forget it."""
    assert [f"{method} {path}" for method, path, permission in ROUTES if permission not in get_args(Permission)] == []


async def _refusal(scene: Scene, method: str, path: str, key: str | None) -> str | None:
    """The code with which the guard refuses; None when the request came through to the handler."""
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    answer = await scene.http.request(method, re.sub(r"\{[^}]*\}", NIL, path), headers=headers)
    code = answer.json().get("code") if answer.headers.get("content-type") == "application/problem+json" else None
    assert answer.status_code < 500, answer.text
    return code if code in REFUSED else None


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_reaches_what_the_table_gives_it(scene: Scene, role: Role) -> None:
    """A person with one role is refused on every route whose permission that role lacks, and on no other."""
    key = await scene.person("ada", role)
    # Signing out or revoking would end the session under test; both only need a valid key.
    for method, path, permission in ROUTES:
        expected = permission is not None and person_may(frozenset({role}), permission)
        assert (await _refusal(scene, method, path, key) is None) == expected, f"{method} {path}"


@pytest.mark.parametrize("scope", ["predict:*", "review", "operate", "audit", "admin"])
async def test_each_scope_of_a_service_reaches_what_the_table_gives_it(scene: Scene, scope: str) -> None:
    """A key that belongs to nobody has its scopes' permissions and never a person's."""
    key = await scene.service(scope)
    for method, path, permission in ROUTES:
        expected = permission is not None and key_may(frozenset({scope}), permission)
        assert (await _refusal(scene, method, path, key) is None) == expected, f"{method} {path}"


@pytest.mark.parametrize("key", [None, "lg_made_up"])
async def test_without_a_valid_key_only_public_routes_answer(scene: Scene, key: str | None) -> None:
    """Everybody else is asked to sign in."""
    for method, path, permission in ROUTES:
        expected = None if permission == "public" else "not-signed-in"
        assert await _refusal(scene, method, path, key) == expected, f"{method} {path}"
