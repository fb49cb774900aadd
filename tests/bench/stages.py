"""Where each microsecond of an automated request goes: the stages of one, in a gateway with everything on.

What a stage of the pipeline takes is what the traffic log has of it; the rest is told by clocks around functions and by
difference, so that the rows add up to the processor time of a request.
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
from tests.bench.site import founded
from tests.bench.subjects import tabular
from tests.servers.lockgate import running_lockgate

ROWS = {
    "read": "the connection: the loop wakes, reads from the socket, takes the head apart, makes a task",
    "entry": "the entry: the key, headers, the body, the event of the request",
    "decode": "decode: the JSON body to checked tensors, with their digest and the caller's wishes",
    "flags": "the three flags of the model for this context",
    "decide": "decide: release, path and rule",
    "run": "the model itself, and its turn",
    "settle": "settle: answers, scores, rules and draws",
    "fill": "the entry of the traffic log, filled in",
    "append": "the entry of the traffic log, encoded and written",
    "tell": "the rest of the pipeline: the reply encoded, counts, the trial's offer",
    "send": "the reply, handed to the connection",
}
"""What each row is."""
ADDED = ("flags", "decide", "settle", "fill", "append")
"""What there is because Lockgate is more than a server of models."""


@cache
def _seen() -> Seen:
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name:
        with kept_to(SERVER, LOADER), running_lockgate(Path(name), log_level="warning") as server:
            request = founded(server, (tabular(),)).endpoint(tabular(), tabular().json()).request
        errand = Errand(data_directory=f"{name}/data", request=b64encode(request).decode())
        with kept_to(SERVER):
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.inside"], input=msgspec.json.encode(errand), capture_output=True,
                check=False,
            )  # fmt: skip
    assert not done.returncode, done.stderr.decode()
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Seen)


def rows(seen: Seen) -> dict[str, float]:
    """Microseconds by row. What no clock was around is part of the row that it lies in."""
    spot, stage = seen.spots, seen.stages
    within = sum(stage.values())
    return {
        "read": max(0.0, seen.processor_us - spot["app"]),
        "entry": spot["app"] - spot["handle"] - spot["send"],
        "decode": stage["decode"],
        "flags": stage["flags"],
        "decide": stage["decide"],
        "run": within - sum(stage[name] for name in ("decode", "flags", "decide", "settle")),
        "settle": stage["settle"],
        "fill": spot["record"] - spot["append"],
        "append": spot["append"],
        "tell": spot["handle"] - within - spot["record"],
        "send": spot["send"],
    }


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
