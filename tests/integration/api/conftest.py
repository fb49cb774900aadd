"""The console's application with an operator, a reviewer and a model that serves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.learning.test_evaluating import DRAWN, TRUTH
from tests.integration.lockgate.scene import Scene, open_scene
from tests.integration.registry.scene import CARD
from tests.models import softmax
from tests.outcomes import Settled, ground, numbers, settle


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """The API as some people use it."""

    scene: Scene
    keys: dict[str, str]

    async def ask(self, who: str, method: str, path: str, **given: Any) -> httpx.Response:
        """Send a request as somebody."""
        headers = {"authorization": f"Bearer {self.keys[who]}"} | given.pop("headers", {})
        return await self.scene.http.request(method, f"/api/v1{path}", headers=headers, **given)

    async def add(self, name: str = "numbers", *, who: str = "operator", card: str = CARD) -> httpx.Response:
        """Add a small model."""
        files = {"file": ("model.onnx", softmax()), "card": ("model.toml", card)}
        return await self.ask(who, "POST", f"/models/{name}/versions", files=files, timeout=60)


@pytest.fixture
async def api(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API on a fresh ledger, with a person of each role that matters here and a key of CI."""
    async with open_scene(sqlite_ledger_url, tmp_path) as scene:
        keys = {role: await scene.person(role, role) for role in ("operator", "reviewer", "auditor", "admin")}  # type: ignore[arg-type]
        yield Api(scene=scene, keys=keys | {"ci": await scene.service("operate")})


@pytest.fixture
async def learned(api: Api, tmp_path: Path) -> Api:
    """A model with settled outcomes."""
    await api.add()
    async with api.scene.ledger.writing() as w:
        where = await ground(w, "numbers", tmp_path / "objects")
        pairs = zip(DRAWN.tolist(), TRUTH, strict=True)
        await settle(w, where, [Settled(inputs=numbers(row), answers=(truth,)) for row, truth in pairs])
    return api
