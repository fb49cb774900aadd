"""Flags of a model that asks for four eyes: lowering human control takes two people, raising it one."""

from typing import Any

from tests.integration.api.conftest import Api
from tests.integration.registry.scene import CARD

FLAG = "numbers.automated"


async def switch(api: Api, who: str, *, on: bool) -> dict[str, Any]:
    """What became of switching the flag."""
    answer = await api.ask(who, "PUT", f"/flags/{FLAG}/switch", json={"on": on, "why": "it went well"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_one_asks_and_another_confirms(api: Api) -> None:
    """Nothing changes before a second person agrees, who is another one; then both stand in the history."""
    assert (await api.add(card="four_eyes = true\n" + CARD)).status_code == 201
    api.keys["second"] = await api.scene.person("second", "operator")
    asked = await switch(api, "operator", on=True)
    assert (asked["changed"], asked["switch"]["on"]) == (False, False)
    assert asked["request"]["lowered"] == [f"{FLAG} is switched on: answers go out without a person."]
    assert (await api.ask("auditor", "GET", f"/flags/{FLAG}")).json()["request"]["why"] == "it went well"

    confirm = {"json": {"why": "I looked at it"}}
    for who, status, code in (("operator", 403, "second-person-for-flag"), ("ci", 403, "not-a-person")):
        refused = await api.ask(who, "POST", f"/flags/{FLAG}/confirmation", **confirm)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    confirmed = await api.ask("second", "POST", f"/flags/{FLAG}/confirmation", **confirm)
    assert (confirmed.json()["changed"], confirmed.json()["switch"]["on"]) == (True, True)
    said = (await api.ask("operator", "GET", f"/flags/{FLAG}")).json()["history"][0]["authorship"]
    assert (said["by"], said["second_person"]) == (asked["request"]["by"], "person:second@example.org")
    assert said["why"] == "it went well (confirmed: I looked at it)"

    nothing = await api.ask("second", "POST", f"/flags/{FLAG}/confirmation", **confirm)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "no-flag-request")
    assert (await switch(api, "operator", on=False))["changed"]


async def test_what_was_asked_holds_for_the_flags_of_then(api: Api) -> None:
    """As soon as any flag changes, the change has to be asked for anew; a key that belongs to nobody cannot ask."""
    assert (await api.add(card="four_eyes = true\n" + CARD)).status_code == 201
    api.keys["second"] = await api.scene.person("second", "operator")
    refused = await api.ask("ci", "PUT", f"/flags/{FLAG}/switch", json={"on": True, "why": "a pipeline"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-a-person")
    await switch(api, "operator", on=True)
    shadow = await api.ask("operator", "PUT", "/flags/numbers.shadow/switch", json={"on": True, "why": "look"})
    assert shadow.json()["changed"]
    gone = await api.ask("second", "POST", f"/flags/{FLAG}/confirmation", json={"why": "yes"})
    assert (gone.status_code, gone.json()["code"]) == (409, "no-flag-request")
