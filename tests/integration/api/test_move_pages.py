"""The console's pages of promotion and rollback: what will change, the gate, and one confirmation with its reason."""

from typing import Any

import httpx

from tests.integration.api.conftest import Api
from tests.integration.lockgate.scene import PASSWORD, URL
from tests.integration.registry.scene import CARD
from tests.models import softmax

MODEL = "/console/models/numbers"
RELEASE = f"{MODEL}/releases/2"
PROMOTION = f"{RELEASE}/promotion"


async def signed_in(api: Api, name: str = "operator") -> tuple[httpx.AsyncClient, str]:
    """A browser of somebody, and the token of its forms."""
    browser = api.scene.browser()
    who = {"email": f"{name}@example.org", "password": PASSWORD}
    assert (await browser.post("/api/v1/session", json=who)).status_code == 204
    return browser, (await browser.get("/api/v1/me")).json()["csrf"]


async def send(browser: httpx.AsyncClient, path: str, token: str, **form: Any) -> httpx.Response:
    """Send a form as the page does."""
    return await browser.post(path, data={"csrf_token": token, **form}, headers={"origin": URL})


async def add_another(api: Api) -> None:
    """A model that serves release 1, and a release 2 of another file and policy."""
    await api.add()
    other = softmax() + b"\x12\x05other"  # the name of its producer, as protobuf appends a field
    card = CARD.replace("Which class?", "Which of them?") + "\n[policy]\nhold_below = 0.7\n"
    files = {"file": ("model.onnx", other), "card": ("model.toml", card)}
    assert (await api.ask("operator", "POST", "/models/numbers/versions", files=files, timeout=60)).is_success


async def test_a_release_is_promoted_and_rolled_back_from_its_models_page(api: Api) -> None:
    """The model's page leads to the preview; a refusal lists its reasons there; the confirmation leads back."""
    await add_another(api)
    browser, token = await signed_in(api)
    shown = (await browser.get(MODEL)).text
    assert f'href="{PROMOTION}"' in shown
    assert f'href="{MODEL}/rollback"' not in shown
    page = (await browser.get(PROMOTION)).text
    for words in ("policy.hold_below", "The gate says: wait", "was not evaluated", "+Which of them?", "by force",
                  "Nothing is watched after the promotion"):  # fmt: skip
        assert words in page
    body = {"declaration": {"errors": {"limit": 0.1}, "on_breach": "roll_back"}, "why": "it is new"}
    assert (await api.ask("operator", "PUT", "/models/numbers/guard", json=body)).is_success
    assert "as it does of every model." in page
    body = {"declaration": {"margin": 0.05, "min_held_out": 50}, "why": "its errors are <cheap>"}
    assert (await api.ask("operator", "PUT", "/models/numbers/gate", json=body)).is_success
    page = (await browser.get(PROMOTION)).text
    for words in (page, (await browser.get(MODEL)).text):
        assert "at most 5.0% worse on 50 held-out items, 20 decided disagreements" in words
        assert "<q>its errors are &lt;cheap&gt;</q>" in words
    assert "The guard watches errors for 24 h after the promotion, and on a breach rolls back." in page
    form = {"revision": 1, "to": 2, "why": "better"}
    refused = await send(browser, PROMOTION, token, **form)
    assert (refused.status_code, "numbers@2 cannot be promoted" in refused.text) == (409, True)
    done = await send(browser, PROMOTION, token, **form, force="true")
    assert (done.status_code, done.headers["location"]) == (303, MODEL)
    shown = (await browser.get(MODEL)).text
    assert f'href="{MODEL}/rollback"' in shown
    assert "● watching" in shown
    assert "left." in shown
    back = (await browser.get(f"{MODEL}/rollback")).text
    assert "Roll back to numbers@1" in back
    assert "numbers@2 is marked withdrawn" in back
    done = await send(browser, f"{MODEL}/rollback", token, revision=2, to=1, why="worse")
    assert (done.status_code, done.headers["location"]) == (303, MODEL)
    assert "numbers@1 serves in the place of numbers@2." in (await browser.get(MODEL)).text
    (line,) = (await api.ask("reviewer", "GET", "/models")).json()
    assert line["release"] == "numbers@1"
    await browser.aclose()


async def test_the_second_person_confirms_on_the_same_page(api: Api) -> None:
    """Who asked is told to wait for somebody else, who is offered to confirm."""
    four = "four_eyes = true\n" + CARD
    await api.add(card=four)
    body = {"card": four + "\n[policy]\naudit_rate = 0.01\n", "why": "fewer checks"}
    assert (await api.ask("operator", "POST", "/models/numbers/releases", json=body)).is_success
    await api.scene.person("second", "operator")
    first, token = await signed_in(api)
    page = PROMOTION
    asked = await send(first, page, token, revision=1, to=2, why="fewer checks")
    assert asked.headers["location"] == page
    assert "Somebody else must confirm it." in (await first.get(page)).text
    second, token = await signed_in(api, "second")
    assert "Confirm numbers@2" in (await second.get(page)).text
    done = await send(second, page, token, revision=1, to=2, why="agreed", confirm="true")
    assert (done.status_code, done.headers["location"]) == (303, MODEL)
    (served, _) = (await api.ask("auditor", "GET", "/models/numbers/history")).json()
    assert (served["by"], served["second_person"]) == ("person:operator@example.org", "person:second@example.org")
    for browser in (first, second):
        await browser.aclose()


async def test_a_move_needs_the_pages_own_token_and_an_operator(api: Api) -> None:
    """No other site's form moves what serves, and a reviewer sees no such page."""
    await add_another(api)
    browser, _ = await signed_in(api)
    form = {"revision": 1, "to": 2, "why": "x", "force": "true"}
    for path in (PROMOTION, f"{MODEL}/rollback"):
        assert (await send(browser, path, "wrong", **form)).status_code == 403
    await browser.aclose()
    browser, token = await signed_in(api, "reviewer")
    assert "Promote numbers@2" not in (await browser.get(MODEL)).text
    assert (await browser.get(PROMOTION)).status_code == 403
    assert (await send(browser, PROMOTION, token, **form)).status_code == 403
    await browser.aclose()


async def test_a_bundle_is_taken_from_the_pages(api: Api) -> None:
    """The model's page and the release's lead operators to it, and auditors; a signed-in browser gets the file."""
    await add_another(api)
    link = 'href="/api/v1/models/numbers/releases/2/bundle" download'
    for who, pages in (("operator", (MODEL, RELEASE, PROMOTION)), ("auditor", (MODEL, RELEASE))):
        browser, _ = await signed_in(api, who)
        for page in pages:
            assert link in (await browser.get(page)).text
        taken = await browser.get("/api/v1/models/numbers/releases/2/bundle")
        assert (taken.headers["content-type"], taken.content[:2]) == ("application/zip", b"PK")
    browser, _ = await signed_in(api, "reviewer")
    for page in (MODEL, RELEASE):
        assert "/bundle" not in (await browser.get(page)).text
