"""The client specification, installed from its lock with the node of a wheel."""

from pathlib import Path

import pytest

from tests.servers.environments import ROOT
from tests.servers.node import node_modules


@pytest.fixture(scope="session")
def specification_folder() -> Path:
    """The folder with Unleash's client specification."""
    modules = node_modules(ROOT / "tests" / "client-specification", "client-specification")
    return modules / "@unleash" / "client-specification" / "specifications"
