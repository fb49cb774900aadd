"""What a process loads when it starts."""

import json
import subprocess
import sys

from lockgate.main import COMMANDS

KEPT_OUT = {"duckdb", "jinja2", "onnx", "pyarrow"}
SERVERS = {"alembic", "grpc", "litestar", "numpy", "onnxruntime", "sqlalchemy"}
LATER = {"grpc", "httpx", "litestar", "rich.console"}
WORKING_HERE = {"bench", "serve", "gateway", "console", "worker", "migrate", "doctor", "backup", "restore", "recover"}
"""The commands that work on this machine's own ledger or files; every other one is a call to a server."""


def test_a_gateway_process_loads_none_of_the_consoles_libraries() -> None:
    """Importing the gateway process loads no Parquet, no DuckDB, no template engine and no ONNX graph library."""
    assert loaded_by("lockgate.processes.gateway") & KEPT_OUT == set()


def test_a_gateway_process_loads_what_the_first_answer_needs_and_no_more() -> None:
    """Routes beside predictions, gRPC and calls to others are loaded once predictions are answered.

    The test imports as the process does, so that ornaments of libraries stay away, too.
    """
    assert loaded_by("lockgate.processes.gateway", unadorned=True) & LATER == set()


def test_a_supervisor_starts_its_children_before_it_loads_what_it_answers_with() -> None:
    """`lockgate serve` has loaded neither an HTTP server nor a client nor any library of models or of the ledger."""
    assert loaded_by("lockgate.commands.serve", unadorned=True) & (LATER | SERVERS | {"uvicorn"}) == set()


def test_a_running_process_loads_nothing_to_migrate_with() -> None:
    """Gateway, console and worker look at the ledger's revision, and leave the library that changes it alone."""
    assert "alembic" not in loaded_by("lockgate.processes.gateway", "lockgate.processes.console")


def test_a_command_that_calls_a_server_loads_nothing_that_servers_are_made_of() -> None:
    """Of the product's libraries, a command that only asks a server loads an HTTP client, and so starts at once."""
    calling = {module.partition(":")[0] for name, (module, _) in COMMANDS.items() if name not in WORKING_HERE}
    assert loaded_by(*calling) & (KEPT_OUT | SERVERS) == set()


def loaded_by(*modules: str, unadorned: bool = False) -> set[str]:
    """Every module that is loaded once these are."""
    within = "from lockgate.unadorned import unadorned\nwith unadorned(): " if unadorned else ""
    script = f"{within}import json, sys, {', '.join(sorted(modules))}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))
