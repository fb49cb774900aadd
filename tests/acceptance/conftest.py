"""The server that acceptance tests share unless they take it away; those have one of their own."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.acceptance.scene import Scene, staged
from tests.acceptance.ways import SHAPED, Ways
from tests.servers.process import until


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with the model `grades`, an operator, a reviewer and a caller, that takes recipes from a folder."""
    folder = tmp_path_factory.mktemp("lockgate")
    with staged(folder, training_recipes=folder / "recipes") as opened:
        yield opened


@pytest.fixture(scope="session")
def ways(scene: Scene) -> Iterator[Ways]:
    """A service that asks models of every shape and datatype, which answer by themselves."""
    for name, shaped in SHAPED.items():
        scene.add(name, shaped.model(), shaped.card)
        scene.switch(name, on=True)
    service = Ways(scene)
    for name, shaped in SHAPED.items():
        until(partial(service.answers, name, shaped.feed), f"{name} answers")
    yield service
    service.close()
