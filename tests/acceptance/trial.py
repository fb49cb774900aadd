"""A model with a candidate beside its champion, put on trial as operators do it."""

from tests.acceptance.cards import card
from tests.acceptance.scene import Scene
from tests.models import softmax

WHY = "a test"


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
    opened = scene.operator.put(f"/api/v1/models/{name}/trial", json={"release": 2, "why": WHY})
    assert opened.is_success, opened.text
    switched = scene.operator.put(f"/api/v1/flags/{name}.shadow/switch", json={"on": True, "why": WHY})
    assert switched.is_success, switched.text


def close_trial(scene: Scene, name: str) -> None:
    """The model's trial ends."""
    closed = scene.operator.delete(f"/api/v1/models/{name}/trial", params={"why": WHY})
    assert closed.is_success, closed.text
