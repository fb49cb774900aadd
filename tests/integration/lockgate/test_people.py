"""Joining, signing in, roles and keys, over the real application and ledger."""

from collections.abc import Mapping

import httpx
import pytest

from gateway.store.events import events_about
from gateway.store.keys import live_callers
from gateway.store.plans import plan_revision
from gateway.times import SECOND_US, now_us
from review.people.errors import InvitationOver, SignInRefused, TooManyAttempts
from review.people.joining import FIRST_ADMIN_S, Joining, invite_first_admin, redeem
from review.people.sessions import COOKIE, Attempts, sign_in, wait_after
from review.store.people import count_admins, find_person_by_email
from tests.integration.lockgate.scene import PASSWORD, URL, Scene

ADA = Joining(name="Ada", email="Ada@Example.org", password=PASSWORD)


def bearer(key: str) -> dict[str, str]:
    """The header with a key."""
    return {"authorization": f"Bearer {key}"}


async def _signed_in(scene: Scene) -> tuple[httpx.AsyncClient, str]:
    """A browser that has signed in as an admin, with its CSRF token."""
    await scene.person("ada", "admin")
    browser = scene.browser()
    answer = await browser.post("/api/v1/session", json={"email": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 204
    return browser, (await browser.get("/api/v1/me")).json()["csrf"]


async def test_the_first_admins_link_works_once(both_scene: Scene) -> None:
    """It makes an admin, whose address is kept in lower case; a second try finds it used up."""
    token = await invite_first_admin(both_scene.ledger, "worker")
    person = await redeem(both_scene.ledger, token, ADA)
    assert (person.email, [grant.role for grant in person.grants]) == ("ada@example.org", ["admin"])
    with pytest.raises(InvitationOver):
        await redeem(both_scene.ledger, token, ADA)


async def test_the_first_admins_link_ends_after_fifteen_minutes(scene: Scene) -> None:
    """The ledger's clock decides."""
    token = await invite_first_admin(scene.ledger, "worker")
    later = now_us() + round((FIRST_ADMIN_S + 1) * SECOND_US)
    scene.ledger._clock = lambda: later
    with pytest.raises(InvitationOver):
        await redeem(scene.ledger, token, ADA)


async def test_a_link_that_could_not_be_used_is_not_used_up(scene: Scene) -> None:
    """A wrong address or a short password costs nothing; then the same link works."""
    token = await invite_first_admin(scene.ledger, "worker")
    for body in (
        {"token": token, "password": PASSWORD, "name": "Ada", "email": "nowhere"},
        {"token": token, "password": "short", "name": "Ada", "email": "ada@example.org"},
        {"token": token, "password": PASSWORD, "name": " ", "email": "ada@example.org"},
    ):
        assert (await scene.http.post("/api/v1/join", json=body)).status_code == 400
    good = {"token": token, "password": PASSWORD, "name": "Ada", "email": "ada@example.org", "key_name": "laptop"}
    joined = (await scene.http.post("/api/v1/join", json=good)).json()
    me = (await scene.http.get("/api/v1/me", headers=bearer(joined["key"]["key"]))).json()
    assert (me["kind"], me["email"]) == ("person", "ada@example.org")


async def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(scene: Scene) -> None:
    """HttpOnly, SameSite=Lax, for the whole site; only its hash is kept."""
    await scene.person("ada", "admin")
    answer = await scene.http.post("/api/v1/session", json={"email": "ada@example.org", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie  # this scene is reached over plain http


UNSAFE: list[tuple[Mapping[str, str], int, str]] = [
    ({"origin": URL, "x-csrf-token": "TOKEN"}, 201, "our page"),
    ({"sec-fetch-site": "same-origin", "x-csrf-token": "TOKEN"}, 201, "our page without an Origin"),
    ({"origin": URL}, 403, "no token"),
    ({"origin": URL, "x-csrf-token": "wrong"}, 403, "a wrong token"),
    ({"origin": "http://evil.test", "x-csrf-token": "TOKEN"}, 403, "another site's page"),
    ({"origin": "null", "x-csrf-token": "TOKEN"}, 403, "a sandboxed page"),
    ({"x-csrf-token": "TOKEN"}, 403, "a cookie without an Origin"),
]


@pytest.mark.parametrize(("headers", "status", "word"), UNSAFE, ids=[word for _, _, word in UNSAFE])
async def test_an_unsafe_request_with_a_session_needs_our_origin_and_its_token(
    scene: Scene, headers: Mapping[str, str], status: int, word: str
) -> None:
    """Neither a form on another site nor a script without the token can act for a signed-in person."""
    browser, csrf = await _signed_in(scene)
    sent = {name: value.replace("TOKEN", csrf) for name, value in headers.items()}
    answer = await browser.post("/api/v1/people/invitations", json={"roles": ["reviewer"]}, headers=sent)
    assert answer.status_code == status, word
    await browser.aclose()


async def test_signing_out_ends_the_session(scene: Scene) -> None:
    """Afterwards the cookie is worth nothing."""
    browser, csrf = await _signed_in(scene)
    cookie = browser.cookies[COOKIE]
    assert (await browser.delete("/api/v1/session", headers={"origin": URL, "x-csrf-token": csrf})).status_code == 204
    browser.cookies.set(COOKIE, cookie)
    assert (await browser.get("/api/v1/me")).status_code == 401
    await browser.aclose()


async def test_every_answer_says_what_a_browser_may_do_with_it(scene: Scene) -> None:
    """The content policy allows nothing inline and no eval, on pages that do not exist, too."""
    for path in ("/api/v1/me", "/nowhere"):
        policy = (await scene.http.get(path)).headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


async def test_guessing_passwords_gets_slower(scene: Scene) -> None:
    """After five wrong ones the address waits, with the right one, too; another address does not."""
    await scene.person("ada", "admin")
    await scene.person("bob", "lead")
    attempts = Attempts()
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await sign_in(scene.ledger, attempts, "ada@example.org", "wrong", 60)
    with pytest.raises(TooManyAttempts) as caught:
        await sign_in(scene.ledger, attempts, "ada@example.org", PASSWORD, 60)
    assert caught.value.retry_after_s == pytest.approx(2.0, abs=2.0)
    assert await sign_in(scene.ledger, attempts, "bob@example.org", PASSWORD, 60)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (4, 0), (5, 2), (6, 4), (9, 32), (40, 300), (10**6, 300)])
def test_the_wait_doubles_up_to_five_minutes(failures: int, seconds: float) -> None:
    """Five attempts are free."""
    assert wait_after(failures) == seconds


async def test_an_admin_gives_and_takes_roles_and_each_change_is_an_event(both_scene: Scene) -> None:
    """The events tell what, by whom, about whom; giving twice is giving once."""
    ada, _bob = await both_scene.person("ada", "admin"), await both_scene.person("bob")
    path = "/api/v1/people/bob@example.org/roles"
    for _ in range(2):
        answer = await both_scene.http.post(path, json={"role": "lead"}, headers=bearer(ada))
        assert [grant["role"] for grant in answer.json()["grants"]] == ["lead"]
    assert (await both_scene.http.delete(f"{path}/lead", headers=bearer(ada))).json()["grants"] == []
    async with both_scene.ledger.reading() as r:
        events = await events_about(r, "person:bob@example.org")
    told = [(event.type, event.by) for event in events if event.type.startswith("role.")]
    assert told == [("role.granted", "person:ada@example.org"), ("role.revoked", "person:ada@example.org")]


@pytest.mark.parametrize(
    ("body", "status"),
    [({"role": "king"}, 400), ({"role": "lead", "model": "nothing"}, 404), ({"role": ""}, 400)],
)
async def test_a_role_that_is_none_is_refused(scene: Scene, body: dict[str, str], status: int) -> None:
    """Unknown roles and models are named."""
    ada = await scene.person("ada", "admin")
    answer = await scene.http.post("/api/v1/people/ada@example.org/roles", json=body, headers=bearer(ada))
    assert answer.status_code == status


async def test_the_last_admin_stays(both_scene: Scene) -> None:
    """Neither taking the role nor shutting out leaves nobody to administer; nothing of the attempt remains."""
    ada = await both_scene.person("ada", "admin")
    for method, path in (("DELETE", "roles/admin"), ("POST", "disable")):
        answer = await both_scene.http.request(method, f"/api/v1/people/ada@example.org/{path}", headers=bearer(ada))
        assert (answer.status_code, answer.json()["code"]) == (409, "last-admin")
    async with both_scene.ledger.reading() as r:
        assert await count_admins(r) == 1
        person = await find_person_by_email(r, "ada@example.org")
    assert person is not None
    assert person.disabled_us is None


async def test_who_is_shut_out_is_out_with_every_session_and_key(both_scene: Scene) -> None:
    """The personal key stops working here and in the gateways' plans."""
    ada, bob = await both_scene.person("ada", "admin"), await both_scene.person("bob", "lead")
    async with both_scene.ledger.reading() as r:
        before, callers = await plan_revision(r), len(await live_callers(r, now_us()))
    answer = await both_scene.http.post("/api/v1/people/bob@example.org/disable", headers=bearer(ada))
    assert answer.status_code == 200
    assert (await both_scene.http.get("/api/v1/me", headers=bearer(bob))).status_code == 401
    async with both_scene.ledger.reading() as r:
        assert await plan_revision(r) > before
        assert len(await live_callers(r, now_us())) == callers - 1


async def test_a_rotated_key_and_its_successor_work_side_by_side_for_the_overlap(both_scene: Scene) -> None:
    """The successor has the same scopes; the plan knows when the old one ends."""
    ada = await both_scene.person("ada", "admin")
    made = await both_scene.http.post(
        "/api/v1/keys", json={"name": "svc", "scopes": ["predict:*"]}, headers=bearer(ada)
    )
    path = f"/api/v1/keys/{made.json()['id']}"
    fresh = await both_scene.http.post(f"{path}/rotate", json={"overlap_s": 100}, headers=bearer(ada))
    assert fresh.json()["scopes"] == ["predict:*"]
    async with both_scene.ledger.reading() as r:
        now = await r.now_us()
        services = [one for one in (await live_callers(r, now)).values() if one.person_id is None]
        later = [one for one in (await live_callers(r, now + 101 * SECOND_US)).values() if one.person_id is None]
    assert sorted(one.expires_us is None for one in services) == [False, True]
    assert len(later) == 1


async def test_a_revoked_key_is_in_no_plan(both_scene: Scene) -> None:
    """Revoking raises the plan's revision, so that every gateway follows."""
    ada = await both_scene.person("ada", "admin")
    made = await both_scene.http.post("/api/v1/keys", json={"name": "svc", "scopes": ["read:*"]}, headers=bearer(ada))
    async with both_scene.ledger.reading() as r:
        before = await plan_revision(r)
    answer = await both_scene.http.delete(f"/api/v1/keys/{made.json()['id']}", headers=bearer(ada))
    assert answer.status_code == 204
    async with both_scene.ledger.reading() as r:
        assert await plan_revision(r) > before
        assert all(one.person_id is not None for one in (await live_callers(r, await r.now_us())).values())


async def test_nobody_ends_somebody_elses_key(scene: Scene) -> None:
    """A reviewer may end her own keys; others' are an admin's to end."""
    ada, bob = await scene.person("ada", "admin"), await scene.person("bob", "reviewer")
    (own,) = (await scene.http.get("/api/v1/keys/mine", headers=bearer(ada))).json()
    assert (await scene.http.delete(f"/api/v1/keys/{own['id']}", headers=bearer(bob))).status_code == 403
    (own,) = (await scene.http.get("/api/v1/keys/mine", headers=bearer(bob))).json()
    assert (await scene.http.delete(f"/api/v1/keys/{own['id']}", headers=bearer(bob))).status_code == 204


async def test_a_body_over_the_limit_is_refused(scene: Scene) -> None:
    """413, before it is read."""
    body = {"email": "x" * 200_000, "password": "y"}
    assert (await scene.http.post("/api/v1/session", json=body)).status_code == 413
