"""The server that acceptance tests share unless they take it away; those have one of their own."""

from collections.abc import Iterator

import pytest

from tests.acceptance.scene import Scene, staged


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with the model `grades`, an operator, a reviewer and a caller, that takes recipes from a folder."""
    folder = tmp_path_factory.mktemp("lockgate")
    with staged(folder, training_recipes=folder / "recipes") as opened:
        yield opened
