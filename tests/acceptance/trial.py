"""A trial opened from outside: the row that an operator's command writes, in the ledger of one machine."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from tests.acceptance.cards import card
from tests.acceptance.scene import Scene
from tests.models import softmax


def found_with_candidate(scene: Scene, name: str, candidate: bytes, **policy: object) -> None:
    """A served model that answers by itself, with a second release of this file."""
    scene.found(name, **policy)
    files = {"file": ("model.onnx", candidate), "card": ("model.toml", card(**policy).encode())}
    added = scene.operator.post(f"/api/v1/models/{name}/versions", files=files)
    assert added.is_success, added.text
    assert candidate != softmax()
    scene.switch(name, on=True)
    scene.until_automated(name)


def open_trial(scene: Scene, name: str) -> None:
    """The model's second release is on trial, and its shadow flag is on."""
    with closing(_ledger(scene)) as ledger, ledger:
        (model,) = ledger.execute("SELECT id FROM model WHERE name = ?", (name,)).fetchone()
        (release,) = ledger.execute("SELECT id FROM release WHERE model_id = ? AND number = 2", (model,)).fetchone()
        ledger.execute(
            "INSERT INTO trial (id, model_id, release_id, canary_open, disagreement_probability, opened_by, opened_us)"
            " VALUES (?, ?, ?, 0, 1.0, 'person:ada@example.org', ?)",
            (uuid4().bytes, model, release, time.time_ns() // 1000),
        )
        ledger.execute("UPDATE plan_revision SET revision = revision + 1")
    switched = scene.operator.put(f"/api/v1/flags/{name}.shadow/switch", json={"on": True, "why": "a test"})
    assert switched.is_success, switched.text


def close_trial(scene: Scene, name: str) -> None:
    """The model's trial ends."""
    with closing(_ledger(scene)) as ledger, ledger:
        ledger.execute(
            "UPDATE trial SET closed_us = ? WHERE model_id = (SELECT id FROM model WHERE name = ?)",
            (time.time_ns() // 1000, name),
        )
        ledger.execute("UPDATE plan_revision SET revision = revision + 1")


def _ledger(scene: Scene) -> sqlite3.Connection:
    return sqlite3.connect(Path(scene.server.folder, "data", "ledger.db"), timeout=30)
