"""Recipes of the tests' own: a folder with scripts that train in an instant, or not at all."""

import sys
from pathlib import Path

from tests.models import contrary, softmax

LEARN = """
import json, pathlib, shutil
told = json.loads(pathlib.Path("parameters.json").read_text())
print(json.dumps({"told": told, "there": sorted(str(p) for p in pathlib.Path().rglob("*") if p.is_file())}))
print("progress 0.5", flush=True)
shutil.copyfile("contrary.onnx", told["output"])
"""
HANG = """
import pathlib, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(f"pid {other.pid}", flush=True)
time.sleep(600)
"""
HANG_AT_FIRST = f"""
import pathlib
if not pathlib.Path("AGAIN").exists():
    exec({HANG!r})
{LEARN}"""
"""Hangs unless the file AGAIN, a place that a test names, is there."""
FAILURES = {
    "status": ("raise SystemExit(3)", "the command ended with status 3"),
    "nothing": ("print('idle')", "the command wrote no file model.onnx"),
    "link": ("import os; os.symlink('contrary.onnx', 'model.onnx')", "the command wrote no file model.onnx"),
    "rubbish": ("open('model.onnx', 'w').write('rubbish')", "what it made cannot be served"),
    "other": ("import shutil; shutil.copyfile('wide.onnx', 'model.onnx')", "the inputs were x"),
    "slow": ("import time; time.sleep(600)", "the command took longer than 1 s"),
    "greedy": ("while True: pass", "the command took more than 1 s of computing"),
    "large": ("open('model.onnx', 'wb').write(bytes(3 << 20))", "the command ended with status 1"),
}
"""Script and reason of each training that comes to nothing."""
LIMITS = {"slow": {"wall_s": 1}, "greedy": {"cpu_s": 1}}
"""The limits that some of them run into."""


def write_recipe(folder: Path, name: str, script: str, **limits: float) -> Path:
    """A recipe in a folder of recipes; its file."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "train.py").write_text(script)
    (place / "contrary.onnx").write_bytes(contrary())
    (place / "wide.onnx").write_bytes(softmax(5))
    (place / "lock.txt").write_text("nothing==1\n")
    numbers = {"wall_s": 60, "cpu_s": 60, "file_mib": 2} | limits
    (place / "recipe.toml").write_text(
        f'command = ["{sys.executable}", "-I", "train.py"]\n'
        'files = ["train.py"]\ndata = ["contrary.onnx", "wide.onnx"]\nlock = "lock.txt"\ncommit = "abc123"\nseed = 7\n'
        "[parameters]\nweight = 2\n[limits]\n" + "".join(f"{limit} = {value}\n" for limit, value in numbers.items())
    )
    return place / "recipe.toml"
