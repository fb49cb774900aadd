"""What a gateway process loads when it starts."""

import json
import subprocess
import sys

KEPT_OUT = {"duckdb", "jinja2", "onnx", "pyarrow"}


def test_a_gateway_process_loads_none_of_the_consoles_libraries() -> None:
    """Importing the gateway process loads no Parquet, no DuckDB, no template engine and no ONNX graph library."""
    script = "import json, sys; import lockgate.processes.gateway; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert set(json.loads(done.stdout)) & KEPT_OUT == set()
