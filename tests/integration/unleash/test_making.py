"""The flags of models made in real Unleash servers, through the API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from flags.names import describe
from flags.source import FlagHome
from flags.unleash.place import Place
from tests.integration.api.conftest import Api
from tests.integration.lockgate.scene import open_scene
from tests.integration.unleash.conftest import place_in
from tests.servers.unleash import CLIENT_TOKEN, ENVIRONMENT, Unleash

FLAGS = ("numbers.automated", "numbers.shadow", "numbers.candidate")


@asynccontextmanager
async def api_to(
    ledger_url: str, folder: Path, place: Place | None, flags: FlagHome | None = None
) -> AsyncIterator[Api]:
    """An API with an operator, a reviewer and the model `numbers`, that knows an Unleash server."""
    async with open_scene(ledger_url, folder, place, flags) as scene:
        keys = {role: await scene.person(role, role) for role in ("operator", "reviewer")}  # type: ignore[arg-type]
        api = Api(scene=scene, keys=keys)
        assert (await api.add()).is_success
        yield api


async def make(api: Api, who: str = "operator", **asked: Any) -> Mapping[str, Any]:
    """Ask for flags; what is answered."""
    answer = await api.ask(who, "POST", "/unleash/flags", json=asked, timeout=60)
    told: Mapping[str, Any] = answer.json()
    return told | {"status": answer.status_code}


async def test_flags_are_made_once_and_off(either_unleash: Unleash, sqlite_ledger_url: str, tmp_path: Path) -> None:
    """A dry run only says what is missing; then it is made, off and described; then nothing is missing, and what its
    owner changed stays."""
    admin = either_unleash.admin
    async with api_to(sqlite_ledger_url, tmp_path, place_in(either_unleash)) as api:
        told = await make(api, dry_run=True)
        assert (told["dry_run"], told["models"], len(told["steps"])) == (True, ["numbers"], 12)
        assert admin.call("GET", "/projects/default/features")["features"] == []
        assert (await make(api))["steps"] == told["steps"]
        for flag in FLAGS:
            shown = admin.call("GET", f"/projects/default/features/{flag}")
            (here,) = [one for one in shown["environments"] if one["name"] == ENVIRONMENT]
            assert (shown["description"], shown["type"]) == (describe(flag), "kill-switch")
            assert (here["enabled"], [one["parameters"]["rollout"] for one in here["strategies"]]) == (False, ["100"])
            assert [one["value"] for one in admin.call("GET", f"/features/{flag}/tags")["tags"]] == [
                "lockgate",
                "model:numbers",
            ]
        admin.on("numbers.shadow")
        assert (await make(api, models=["numbers"]))["steps"] == []
        assert admin.call("GET", "/projects/default/features/numbers.shadow")["environments"][0]["enabled"]
        admin.archive(*FLAGS)
        refused = await make(api)
        admin.delete(*FLAGS)
        assert (refused["status"], refused["code"]) == (409, "unleash-refused")
        assert "An archived flag with that name already exists" in refused["detail"]


async def test_what_hinders_it_is_said(shared_unleash: Unleash, sqlite_ledger_url: str, tmp_path: Path) -> None:
    """A token for clients, no token, no server, an unknown model, and somebody who may not: each has its code."""
    here = place_in(shared_unleash)
    async with api_to(sqlite_ledger_url, tmp_path, here) as api:
        assert (await make(api, models=["gone"]))["code"] == "unknown-model"
        assert (await make(api, who="reviewer"))["code"] == "permission-needed"
    for place, code in (
        (place_in(shared_unleash, CLIENT_TOKEN), "unleash-admin-token-refused"),
        (place_in(shared_unleash, ""), "no-unleash-admin-token"),
        (None, "no-unleash"),
    ):
        async with open_scene(sqlite_ledger_url, tmp_path, place) as scene:
            assert (await make(Api(scene=scene, keys=api.keys)))["code"] == code
