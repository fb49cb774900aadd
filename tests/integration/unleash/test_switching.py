"""A flag of a real Unleash server switched from here: made there, recorded here with who and why."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flags.source import UNLEASH, FlagHome
from gateway.store.schema.serves import ModelRow
from gateway.times import now_us
from review.unleash.pulling import pull_changes
from tests.integration.api.conftest import Api
from tests.integration.api.test_move_pages import send, signed_in
from tests.integration.lockgate.scene import open_scene
from tests.integration.unleash.conftest import keep_latest, place_in
from tests.integration.unleash.test_making import api_to, make
from tests.servers.unleash import Unleash

FLAG = "numbers.automated"
MODEL, ACT = "/console/models/numbers", "/console/operations/numbers/automated"


@pytest.fixture
async def api(either_unleash: Unleash, sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of an installation whose flags are those of a server, made there and followed."""
    either_unleash.admin.clear()
    home = FlagHome(source=UNLEASH, url=either_unleash.url)
    async with api_to(sqlite_ledger_url, tmp_path, place_in(either_unleash), home) as opened:
        assert len((await make(opened))["steps"]) == 12
        await keep_latest(opened.scene.ledger, either_unleash)
        yield opened


async def switch(api: Api, *, on: bool, why: str = "a good week") -> dict[str, Any]:
    """Switch the flag as the operator does."""
    answer = await api.ask("operator", "PUT", f"/flags/{FLAG}/switch", json={"on": on, "why": why}, timeout=30)
    told: dict[str, Any] = answer.json()
    return told | {"status": answer.status_code}


async def test_a_switch_is_made_there_and_recorded_here(api: Api, either_unleash: Unleash) -> None:
    """It is on in Unleash; once gateways have fetched it, the history has who asked here and why, and who switched it
    off there. Until then the page says that it was asked for. What stands so already is not switched again."""
    place, ledger = place_in(either_unleash), api.scene.ledger
    assert (await api.ask("reviewer", "GET", "/flags/lint")).json()["findings"] == []
    switched = await switch(api, on=True)
    assert (switched["status"], switched["changed"], switched["elsewhere"]) == (200, True, place.link(FLAG))
    shown = either_unleash.admin.call("GET", f"/projects/default/features/{FLAG}")
    assert [one["enabled"] for one in shown["environments"] if one["name"] == place.environment] == [True]
    browser, token = await signed_in(api)
    page = (await browser.get(MODEL)).text
    assert place.link(FLAG) in page
    assert "Gateways follow at their next fetch." in page
    await keep_latest(ledger, either_unleash)
    assert await pull_changes(ledger, place, now_us()) == 1
    assert "Gateways follow at their next fetch." not in (await browser.get(MODEL)).text
    assert not (await switch(api, on=True, why="again"))["changed"]
    either_unleash.admin.off(FLAG)
    await keep_latest(ledger, either_unleash)
    done = await send(browser, ACT, token, on="true", why="by the console")
    assert (done.status_code, place.link(FLAG) in (await browser.get(ACT)).text) == (303, True)
    await keep_latest(ledger, either_unleash)
    assert await pull_changes(ledger, place, now_us()) == 2
    history = (await api.ask("reviewer", "GET", f"/flags/{FLAG}/history")).json()
    assert [(one["authorship"]["by"], one["authorship"]["why"]) for one in history] == [
        ("person:operator@example.org", "by the console"),
        ("unleash:admin", "In Unleash it was switched off."),
        ("person:operator@example.org", "a good week"),
    ]
    await browser.aclose()


async def test_what_is_refused_is_not_made(api: Api, either_unleash: Unleash) -> None:
    """Without a reason, by somebody who may not, or of a flag that is not there: nothing is switched."""
    assert (await switch(api, on=True, why=" "))["code"] == "reason-missing"
    body = {"on": True, "why": "x"}
    assert (await api.ask("reviewer", "PUT", f"/flags/{FLAG}/switch", json=body)).status_code == 403
    shown = either_unleash.admin.call("GET", f"/projects/default/features/{FLAG}")
    assert not any(one["enabled"] for one in shown["environments"])
    either_unleash.admin.archive(FLAG)
    either_unleash.admin.delete(FLAG)
    assert (await switch(api, on=True))["code"] == "unknown-flag"


async def test_four_eyes_are_kept_there(api: Api) -> None:
    """Where the model asks for four eyes nobody lets answers out alone from here; off is open to every operator."""
    async with api.scene.ledger.writing() as w:
        await w.execute(update(ModelRow).values(four_eyes=True))
    assert (await switch(api, on=True))["code"] == "four-eyes-elsewhere"
    assert (await switch(api, on=False))["status"] == 200


async def test_without_a_token_the_link_is_told(
    api: Api, either_unleash: Unleash, sqlite_ledger_url: str, tmp_path: Path
) -> None:
    """The switch is refused with the flag's page in Unleash, and the console offers that page and no button."""
    place = place_in(either_unleash, "")
    home = FlagHome(source=UNLEASH, url=either_unleash.url)
    async with open_scene(sqlite_ledger_url, tmp_path, place, home) as scene:
        bare = Api(scene=scene, keys=api.keys)
        refused = await switch(bare, on=True)
        assert (refused["status"], refused["code"]) == (409, "flags-elsewhere")
        assert place.link(FLAG) in refused["detail"]
        browser, _ = await signed_in(bare)
        for path in (MODEL, ACT):
            page = (await browser.get(path)).text
            assert place.link(FLAG) in page
            assert "admin token" in page
            assert "<button>Switch on" not in page
        await browser.aclose()
