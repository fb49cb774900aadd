"""The flags in force held against the models, over HTTP."""

from typing import Any

from tests.integration.api.conftest import Api

FLAG = "/flags/numbers.automated"


async def _define(api: Api, **parts: Any) -> None:
    definition = {"enabled": True, "strategies": [{"name": "default"}]} | parts
    answer = await api.ask("operator", "PUT", FLAG, json={"definition": definition, "why": "a test"})
    assert answer.is_success, answer.text


async def _found(api: Api, **asked: str) -> list[tuple[str, str, str]]:
    answer = await api.ask("reviewer", "GET", "/flags/lint", params=asked)
    assert answer.is_success, answer.text
    return [(one["level"], one["rule"], one["flag"]) for one in answer.json()["findings"]]


async def test_flags_are_held_against_their_model(api: Api) -> None:
    """A new model's flags are fine; a field that no request carries, and a payload for no release, are not."""
    await api.add()
    assert await _found(api) == []
    await _define(api, strategies=[{"name": "default", "constraints": [
        {"contextName": "country", "operator": "IN", "values": ["de"]}]}])  # fmt: skip
    assert await _found(api) == [("error", "field-never-sent", "numbers.automated")]
    payload = {"type": "json", "value": '{"release": "numbers@2", "hold_below": 0.9}'}
    await _define(api, variants=[{"name": "careful", "weight": 1000, "payload": payload}])
    assert await _found(api) == [("error", "payload-ignored", "numbers.automated")]


async def test_one_model_may_be_asked_for(api: Api) -> None:
    """Only what concerns the model is told; one that does not exist is told as such."""
    await api.add()
    await api.add("others")
    await _define(api, strategies=[{"name": "flexibleRollout", "parameters": {"rollout": "0"}}])
    assert await _found(api, model="others") == []
    assert await _found(api, model="numbers") == [("warning", "on-for-nobody", "numbers.automated")]
    unknown = await api.ask("reviewer", "GET", "/flags/lint", params={"model": "gone"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-model")
