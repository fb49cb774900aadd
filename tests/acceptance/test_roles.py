"""Every route of the API against everybody: no key, a service's key, each role alone, and CI's keys."""

import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.scene import Scene

ROUTES = Path(__file__).parents[2] / "docs" / "api.md"
ROW = re.compile(r"\| `([A-Z]+) (/api/v1[^`]*)` \|.*\| (\w+) \|")
EVERYBODY = frozenset({"reviewer", "lead", "operator", "auditor", "admin", "key:operate", "key:audit", "key:admin"})
PEOPLE = frozenset({"reviewer", "lead", "operator", "auditor", "admin"})
MAY: dict[str, frozenset[str]] = {
    "public": EVERYBODY | {"nobody", "key:predict"},
    "anyone": EVERYBODY | {"key:predict"},
    "self": PEOPLE,
    "look": EVERYBODY,
    "judge": frozenset({"reviewer", "lead"}),
    "lead": frozenset({"lead"}),
    "operate": frozenset({"operator", "key:operate"}),
    "inspect": frozenset({"lead", "operator", "auditor", "admin", "key:operate", "key:audit"}),
    "administer": frozenset({"admin", "key:admin"}),
}
"""Who passes the door of a route that needs this permission."""
AT_THE_DOOR = frozenset({"not-signed-in", "permission-needed", "person-needed"})


@pytest.fixture(scope="module")
def keys(scene: Scene) -> dict[str, str]:
    """A key for everybody."""
    made = {role: scene.make_person(role.title(), f"only-{role}@example.org", role)[1] for role in PEOPLE}
    made |= {f"key:{scope}": scene.make_key(f"only-{scope}", scope) for scope in ("operate", "audit", "admin")}
    return made | {"key:predict": scene.make_key("only-predict", "predict:*"), "nobody": ""}


def routes() -> list[tuple[str, str, str]]:
    """Method, path and permission of every route, as docs/api.md prints them."""
    return [match.groups() for match in map(ROW.match, ROUTES.read_text().splitlines()) if match]  # type: ignore[misc]


def test_the_page_lists_what_the_document_describes(scene: Scene) -> None:
    """The table that this module reads has every route of the OpenAPI document."""
    paths = scene.admin.get("/api/v1/openapi/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert {(method, path) for method, path, _ in routes()} == described


@pytest.mark.parametrize("who", sorted(MAY["public"]))
def test_everybody_passes_only_the_doors_that_are_theirs(scene: Scene, keys: dict[str, str], who: str) -> None:
    """A role opens the routes of its permissions and no other; who sends no key is told 401, others 403."""
    wrong = []
    with scene.server.client(keys[who]) as client:
        for method, path, permission in routes():
            if (method, path) == ("DELETE", "/api/v1/session"):
                continue  # it ends nothing but a browser's session, and answers everybody alike
            with client.stream(method, filled(path), json={} if method in ("POST", "PUT") else None) as answer:
                refused = refusal(answer)
            expected = "" if who in MAY[permission] else "not-signed-in" if who == "nobody" else "permission-needed"
            if permission == "self" and who.startswith("key:"):
                expected = "person-needed"
            if refused != expected:
                wrong.append((method, path, permission, refused, expected))
    assert not wrong


def refusal(answer: httpx.Response) -> str:
    """Why the door stayed shut; nothing when it opened, whatever was said behind it. A stream of events has no end."""
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        answer.read()
    assert answer.status_code < 500, answer.text
    code = answer.json().get("code", "") if answer.status_code in (401, 403) else ""
    return code if code in AT_THE_DOOR else ""


def filled(path: str) -> str:
    """The path with names and ids of nothing."""
    return re.sub(r"\{(\w+)\}", lambda field: str(uuid4()) if field[1].endswith("_id") else "nothing", path)


def test_a_key_predicts_only_where_its_scope_says(scene: Scene) -> None:
    """Under `/v2` no key is 401, a scope for another model 403; health, docs and metadata of the server are open."""
    infer = "/v2/models/grades/infer"
    with scene.server.client("") as nobody, scene.server.client(scene.make_key("elsewhere", "predict:other")) as other:
        refused = nobody.post(infer, json={})
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert nobody.get(f"/v2/predictions/{uuid4()}").status_code == 401
        assert nobody.post("/v2/repository/index", json={}).status_code == 401
        forbidden = other.post(infer, json={})
        assert (forbidden.status_code, "predict:grades" in forbidden.json()["error"]) == (403, True)
        for path in ("/v2/health/live", "/v2/health/ready", "/v2", "/v2/openapi/openapi.json", "/docs"):
            assert nobody.get(path).is_success, path


def test_a_key_is_taken_from_the_header_alone(scene: Scene) -> None:
    """A key in the query, in a cookie or as Basic is no key."""
    key = scene.caller
    with scene.server.client("") as client:
        for path in ("/api/v1/me", f"/v2/predictions/{uuid4()}"):
            for query in ("key", "token", "api_key", "access_token", "authorization"):
                assert client.get(path, params={query: key}).status_code == 401
            assert client.get(path, headers={"Cookie": f"session={key}; key={key}"}).status_code == 401
            assert client.get(path, headers={"Authorization": f"Basic {key}"}).status_code == 401
            assert client.get(path, headers={"X-Api-Key": key}).status_code == 401
