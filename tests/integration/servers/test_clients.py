"""The stock clients are there, each in an environment of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

IMPORTS = {"triton": "import tritonclient.http", "kserve": "from kserve import InferenceRESTClient"}


@pytest.mark.parametrize("name", IMPORTS)
def test_a_stock_client_can_be_imported(name: str, client_python: Callable[[str], Path]) -> None:
    """The environment of a stock client holds it with everything it needs."""
    done = subprocess.run([client_python(name), "-c", IMPORTS[name]], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
