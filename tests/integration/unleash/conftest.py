"""A stand-in for an Unleash server."""

from collections.abc import Iterator

import pytest

from tests.integration.unleash.fake import FakeUnleash, fake_unleash


@pytest.fixture
def fake() -> Iterator[FakeUnleash]:
    """A server that does what the test says."""
    with fake_unleash() as server:
        yield server
