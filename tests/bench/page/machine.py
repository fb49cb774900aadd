"""What a run was made on: the machine and the versions, without its name."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("onnxruntime", "numpy", "msgspec", "orjson", "pysimdjson", "uvicorn", "uvloop", "httptools")


def machine() -> dict[str, str]:
    """The machine, in words."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": _processor(),
        "processors": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def versions() -> dict[str, str]:
    """Python, the libraries that the speed depends on, and the commit."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}, "commit": _commit()}


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", _file("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _file(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
