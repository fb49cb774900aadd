"""The server that acceptance tests share unless they take it away; those have one of their own."""

from collections.abc import Iterator

import pytest

from tests.acceptance.scene import Scene, staged


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with the model `grades`, an operator, a reviewer and a caller."""
    with staged(tmp_path_factory.mktemp("lockgate")) as opened:
        yield opened
