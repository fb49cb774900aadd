"""What recording costs a gateway process to import."""

import subprocess
import sys

SCRIPT = """
import sys
import gateway.record.log, gateway.record.payloads, gateway.record.reader, gateway.record.sealed
print(sorted({'pyarrow', 'duckdb', 'jinja2', 'sqlalchemy', 'numpy'} & set(sys.modules)))
"""


def test_recording_imports_no_reading_library() -> None:
    """A process that records loads neither Arrow nor DuckDB nor anything else that only reading needs."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
