"""Load on a fresh server: `python -m loadtests [--users N] [--seconds N]`; the exit status is 1 when a request failed.

A `lockgate serve` with one model is started in a temporary folder, every answer automatic, and callers are let loose on
it by locust, which prints what it saw.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.models import softmax
from tests.servers.lockgate import Lockgate, running_lockgate

HERE = Path(__file__).parent
MODEL = "load"


def main() -> int:
    """Start a server, let the callers loose, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description="Callers against a fresh server.")
    parser.add_argument("--users", type=int, default=50, help="callers at the same time (50)")
    parser.add_argument("--seconds", type=int, default=30, help="how long (30)")
    parser.add_argument("--gateways", type=int, default=1, help="gateway processes (1)")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lockgate-load-") as folder,
        running_lockgate(Path(folder), gateways=given.gateways) as server,
    ):
        key = serve_model(server)
        return let_loose(server, key, given.users, given.seconds)


def serve_model(server: Lockgate) -> str:
    """Add the model, let it answer on its own, and make a caller's key."""
    file = server.folder / "load.onnx"
    file.write_bytes(softmax())
    server.run("models", "add", MODEL, file, "--card", HERE / "model.toml")
    server.run("flags", "on", f"{MODEL}.automated", "--why", "load test")
    key: str = server.json("keys", "add", "load", "--scope", f"predict:{MODEL}")["key"]
    return key


def let_loose(server: Lockgate, key: str, users: int, seconds: int) -> int:
    """Run locust without its pages; its exit status."""
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(HERE / "callers.py"), "--host", server.url),
        *("--headless", "--only-summary", "--users", str(users), "--spawn-rate", str(users)),
        *("--run-time", f"{seconds}s", "--stop-timeout", "60"),
    ]
    environment = os.environ | {"LOAD_MODEL": MODEL, "LOAD_KEY": key}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
