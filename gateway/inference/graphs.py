"""Optimised graphs, kept under what they were made from, so that the next opening of a model need not make them again.

What onnxruntime makes of a graph holds for one model file, one runtime, one provider and one kind of processor; all of
that is in the name. A file is used only with the seal that this installation put on it: a damaged one, one of another
model or one from elsewhere is made anew. Losing the folder costs time and nothing else.
"""

import hmac
import os
import platform
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from time import time
from uuid import uuid4

import structlog

from gateway.inference.errors import ModelNotLoadable
from gateway.inference.session import RUNTIME, OnnxSession

GRAPH_MAX_BYTES = 512 << 20
"""Graphs of larger models are not kept: to write one takes its size in memory once more."""
FORGOTTEN_S = 600.0
"""A graph that was begun this long ago is not being written any more."""
LEVEL = "all"
"""The optimisation that sessions are opened with; layouts that suit the processor are part of it."""
SUFFIX = ".onnx"


class GraphCache:
    """A folder of optimised graphs that the gateway processes of an installation share."""

    def __init__(self, folder: Path, secret: str) -> None:
        self._folder = folder
        self._secret = secret.encode()

    def find(self, artifact: str) -> Path | None:
        """The graph of a model file, whole and made here; whatever else has its name is removed."""
        for path in self._folder.glob(f"{self._name(artifact)}-*{SUFFIX}"):
            try:
                whole = path.stem.rpartition("-")[2] == self._seal(artifact, path)
            except OSError:
                continue
            if whole:
                return path
            structlog.get_logger().warning("graph_damaged", artifact=artifact)
            self.drop(path)
        return None

    def place(self, artifact: str, size: int) -> Path | None:
        """Where the graph of a model file may be written; None where it is not to be kept."""
        if size > GRAPH_MAX_BYTES:
            return None
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return None
        return self._folder / f"{artifact}.{uuid4().hex}.tmp"

    def keep(self, artifact: str, written: Path) -> None:
        """Put a graph that was written in its place, sealed; without one, or without a disk for it, nothing is kept."""
        try:
            written.chmod(0o600)
            written.replace(self._folder / f"{self._name(artifact)}-{self._seal(artifact, written)}{SUFFIX}")
        except OSError as error:
            structlog.get_logger().warning("graph_not_kept", artifact=artifact, error=type(error).__name__)
            self.drop(written)

    def drop(self, path: Path) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            path.unlink()

    def sweep(self, artifacts: Collection[str]) -> None:
        """Remove the graphs of other model files than these, and those that another runtime made of these."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            artifact, _, rest = path.stem.partition("-")
            if artifact not in artifacts or not rest.startswith(f"{_word(RUNTIME)}-"):
                self.drop(path)
        for path in self._folder.glob("*.tmp"):
            with suppress(OSError):
                if time() - path.stat().st_mtime > FORGOTTEN_S:
                    self.drop(path)

    def _name(self, artifact: str) -> str:
        """What a graph is made from: model file, runtime, provider, optimisation and processor."""
        return f"{artifact}-{_word(RUNTIME)}-cpu-{LEVEL}-{processor()}"

    def _seal(self, artifact: str, path: Path) -> str:
        """A digest of the file and its name, keyed with what only this installation knows."""
        keyed = hmac.new(self._secret, self._name(artifact).encode(), sha256)
        with path.open("rb") as file:
            return file_digest(file, lambda: keyed).hexdigest()


def open_kept(graphs: GraphCache, artifact: str, path: Path, threads: int) -> OnnxSession:
    """A session over a model file, by its optimised graph where that is kept; else it is made and kept.

    Raises: ModelNotLoadable. That a graph cannot be read, written or run is no reason to fail.
    """
    graph = graphs.find(artifact)
    if graph is not None:
        with suppress(ModelNotLoadable):
            return OnnxSession.open_optimised(graph, threads=threads)
        graphs.drop(graph)
    place = graphs.place(artifact, path.stat().st_size)
    if place is not None:
        with suppress(ModelNotLoadable):
            session = OnnxSession.open(path, threads=threads, write_to=place)
            graphs.keep(artifact, place)
            return session
        graphs.drop(place)
    return OnnxSession.open(path, threads=threads)


@cache
def processor() -> str:
    """A short digest of the kind of processor: a graph whose layout suits one may be slow on another, or not run."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        lines = [
            line for line in first.splitlines() if line.startswith(("model name", "flags", "Features", "CPU part"))
        ]
    except OSError:
        lines = [platform.processor()]
    return sha256("\n".join([platform.machine(), *lines]).encode()).hexdigest()[:12]


def _word(text: str) -> str:
    """The text without what separates the parts of a name."""
    return text.replace("-", "_").replace(os.sep, "_")
