"""How much quicker a session is open by the optimised graph that was kept, than by the model file alone."""

import tempfile
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from gateway.inference.graphs import GraphCache, open_kept
from gateway.inference.session import OnnxSession
from tests.bench.case import Case
from tests.models import deep

LAYERS = 60
TIMES = 15


def _measure() -> float:
    """The fastest of some openings by the graph, against the fastest by the file; they take turns."""
    model = deep(LAYERS)
    artifact, by_file, by_graph = sha256(model).hexdigest(), [], []
    with tempfile.TemporaryDirectory() as name:
        path, graphs = Path(name, artifact), GraphCache(Path(name, "graphs"), "bench")
        path.write_bytes(model)
        open_kept(graphs, artifact, path, threads=1).close()
        assert graphs.find(artifact) is not None
        for _ in range(TIMES):
            before = perf_counter()
            OnnxSession.open(path).close()
            between = perf_counter()
            open_kept(graphs, artifact, path, threads=1).close()
            by_file.append(between - before)
            by_graph.append(perf_counter() - between)
    return min(by_graph) / min(by_file)


CASES = (
    Case(
        name="session_open_cached",
        what=f"time to open a network of {LAYERS} blocks by its kept graph, seal checked, of that by its file",
        better="lower",
        goal=0.8,
        measure=_measure,
    ),
)
