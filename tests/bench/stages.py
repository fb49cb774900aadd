"""Where each microsecond of an automated request goes: the stages of one, in a gateway with everything on.

Told by clocks around functions of the express way and by difference, so that the rows add up to the processor time of a
request.
"""

import subprocess
import sys
import tempfile
from base64 import b64encode
from functools import cache, partial
from pathlib import Path

import msgspec

from tests.bench.case import Case, Measured
from tests.bench.inside import Errand, Seen
from tests.bench.load import LOADER, SERVER, kept_to
from tests.bench.quiet import undisturbed
from tests.bench.site import founded
from tests.bench.subjects import tabular
from tests.servers.lockgate import running_lockgate

ROWS = {
    "read": "the connection: the loop wakes, reads from the socket and takes the head apart",
    "entry": "the entry: the headers and the key",
    "decode": "decode: the JSON body to checked tensors, with their digest",
    "flags": "the three flags of the model for this context, and the decision that was made of them",
    "run": "the model itself",
    "settle": "settle: answers and scores",
    "fill": "the items, draws and thresholds, the outputs by digest, and the entry of the traffic log, encoded",
    "append": "the entry of the traffic log, written",
    "encode": "the reply, its numbers as JSON",
    "send": "the reply, handed to the connection",
    "rest": "the turn of the loop, counts and the event of the request",
}
"""What each row is."""
ADDED = ("flags", "settle", "fill", "append")
"""What there is because Lockgate is more than a server of models."""


@cache
def _seen() -> Seen:
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name:
        with kept_to(SERVER, LOADER), running_lockgate(Path(name), log_level="warning") as server:
            request = founded(server, (tabular(),)).endpoint(tabular(), tabular().json()).request
        errand = Errand(data_directory=f"{name}/data", request=b64encode(request).decode())
        with kept_to(SERVER):
            done = undisturbed(lambda: _sent(errand))
    assert not done.returncode, done.stderr.decode()
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Seen)


def _sent(errand: Errand) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "tests.bench.inside"]
    return subprocess.run(command, input=msgspec.json.encode(errand), capture_output=True, check=False)


def rows(seen: Seen) -> dict[str, float]:
    """Microseconds by row. What no clock was around is part of the row that it lies in."""
    spot = seen.spots
    told = {
        "read": max(0.0, seen.processor_us - spot["take"] - spot["turn"]),
        "entry": spot["take"] - spot["decode"] - spot["flags"],
        "decode": spot["decode"],
        "flags": spot["flags"],
        "run": spot["run"],
        "settle": spot["settle"],
        "fill": spot["make"] - spot["text"] - spot["encode"],
        "append": spot["append"],
        "encode": spot["text"] + spot["encode"],
        "send": spot["send"],
    }
    turn = ("run", "settle", "fill", "append", "encode", "send")
    return told | {"rest": spot["turn"] - sum(told[name] for name in turn)}


def _row(name: str) -> Measured:
    return Measured(value=rows(_seen())[name])


def _whole() -> Measured:
    seen = _seen()
    return Measured(value=seen.processor_us, more={
        "rows": rows(seen), "p50_us": seen.p50_us, "answers": seen.answers,
        "stacks": msgspec.to_builtins(seen.stacks),
    })  # fmt: skip


def _added() -> Measured:
    found = rows(_seen())
    return Measured(value=sum(found[name] for name in ADDED))


CASES = (
    *(
        Case(name=f"stage_{name}_us", what=f"microseconds: {what}", better="lower", goal=None,
             measure=partial(_row, name))
        for name, what in ROWS.items()
    ),
    Case(name="stage_whole_us", what="microseconds of a processor for one request, 1 connection, all stages",
         better="lower", goal=None, measure=_whole),
    Case(name="stage_added_us", what="microseconds that flags, decide, settle and the traffic log add to a request",
         better="lower", goal=60.0, measure=_added),
)  # fmt: skip
