"""Model files are admitted once in a test process: the same bytes get the same report, without another child process.

Half of the processor time of these tests went into looking at the same few files. Only a report is remembered: whoever
is refused is refused by a child process each time, and tests of admission itself ask it directly.
"""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.inference.admission import admit
from gateway.inference.report import AdmissionLimits, AdmissionReport
from gateway.registry import adding

_known: dict[tuple[bytes, AdmissionLimits | None], AdmissionReport] = {}


@pytest.fixture(scope="session", autouse=True)
def _admitted_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(adding, "admit", _admit_once)
        yield


async def _admit_once(path: Path, limits: AdmissionLimits | None = None) -> AdmissionReport:
    """What admission says of the file, or said of the same bytes under the same limits."""
    key = sha256(await asyncio.to_thread(path.read_bytes)).digest(), limits
    if key not in _known:
        _known[key] = await admit(path, limits)
    return _known[key]
