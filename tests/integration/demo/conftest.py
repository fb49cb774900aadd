"""The demo's models and held-out records, made once and kept in `.demo/` as `make demo` keeps them."""

import pytest

from demo.home import HOME
from demo.models.build import Props, make_props


@pytest.fixture(scope="session")
def props() -> Props:
    """What the play is given before the server starts."""
    return make_props(HOME)
