"""Optimised graphs: used again where they are whole and made here, made anew where they are not, never missed."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from gateway.inference import graphs as keeping
from gateway.inference.cache import SessionCache
from gateway.inference.errors import ModelNotLoadable
from gateway.inference.graphs import GraphCache, open_kept
from gateway.inference.samples import sample_feeds
from gateway.inference.session import OnnxSession
from tests import models

MODEL = models.softmax()
ARTIFACT = sha256(MODEL).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model file."""
    path = tmp_path / ARTIFACT
    path.write_bytes(MODEL)
    return path


@pytest.fixture
def graphs(tmp_path: Path) -> GraphCache:
    """A folder of graphs, empty."""
    return GraphCache(tmp_path / "graphs", "a secret")


def kept(graphs: GraphCache) -> Path:
    """The one graph of the model that is kept."""
    found = graphs.find(ARTIFACT)
    assert found is not None
    assert list(found.parent.iterdir()) == [found]
    return found


@pytest.mark.parametrize(
    "model",
    [models.softmax(), models.identity("BYTES"), models.numbered_zipmap(), models.deep(3, 8), models.add_sub()],
    ids=["softmax", "text", "zipmap", "convolutions", "integers"],
)
def test_a_kept_graph_answers_what_the_file_answers(model: bytes, tmp_path: Path, graphs: GraphCache) -> None:
    """The second opening runs the graph that the first one wrote: same signature, same numbers to the last bit."""
    path, artifact = tmp_path / "model.onnx", sha256(model).hexdigest()
    path.write_bytes(model)
    first = open_kept(graphs, artifact, path, threads=1)
    graph = graphs.find(artifact)
    assert graph is not None
    second = OnnxSession.open_optimised(graph)
    assert second.signature == first.signature
    feeds = sample_feeds(first.signature, items=3)
    for name, array in first.run(feeds).items():
        np.testing.assert_array_equal(second.run(feeds)[name], array)


async def test_the_next_opening_uses_it(file: Path, graphs: GraphCache) -> None:
    """A cache with graphs keeps one; a file that cannot be optimised any more would not be noticed."""
    async with SessionCache(graphs=graphs).holding(ARTIFACT, file):
        graph = kept(graphs)
    written = graph.stat().st_mtime_ns
    async with SessionCache(graphs=graphs).holding(ARTIFACT, file) as session:
        assert session.run({"x": np.zeros((1, 4), np.float32)})["probabilities"].shape == (1, 3)
    assert kept(graphs).stat().st_mtime_ns == written


@pytest.mark.parametrize("harm", ["damaged", "foreign", "of another model"])
def test_what_was_not_made_here_of_this_file_is_made_anew(
    harm: str, file: Path, graphs: GraphCache, tmp_path: Path
) -> None:
    """One changed byte, the seal of another installation, or another model's graph under this name."""
    open_kept(graphs, ARTIFACT, file, threads=1)
    graph = kept(graphs)
    whole = graph.read_bytes()
    if harm == "damaged":
        graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif harm == "foreign":
        graphs = GraphCache(tmp_path / "graphs", "another secret")
    else:
        other = tmp_path / "other"
        other.write_bytes(models.contrary())
        open_kept(graphs, "b" * 64, other, threads=1)
        theirs = graphs.find("b" * 64)
        assert theirs is not None
        graph.unlink()
        theirs.rename(theirs.with_name(theirs.name.replace("b" * 64, ARTIFACT)))
    session = open_kept(graphs, ARTIFACT, file, threads=1)
    feeds = {"x": np.arange(4, dtype=np.float32).reshape(1, 4)}
    np.testing.assert_array_equal(
        session.run(feeds)["probabilities"], OnnxSession.open(file).run(feeds)["probabilities"]
    )
    assert kept(graphs).read_bytes() == whole


def test_a_graph_that_cannot_be_run_is_made_anew(file: Path, graphs: GraphCache) -> None:
    """Even under our own seal."""
    place = graphs.place(ARTIFACT, 1)
    assert place is not None
    place.write_bytes(b"no model")
    graphs.keep(ARTIFACT, place)
    assert open_kept(graphs, ARTIFACT, file, threads=1).signature.inputs[0].name == "x"
    assert OnnxSession.open_optimised(kept(graphs)).signature.inputs[0].name == "x"


def test_without_a_place_a_model_opens_all_the_same(file: Path, tmp_path: Path) -> None:
    """A folder that cannot be made, or a model that is too large, costs nothing but time."""
    (tmp_path / "taken").write_text("a file")
    unusable = GraphCache(tmp_path / "taken", "a secret")
    assert open_kept(unusable, ARTIFACT, file, threads=1).signature.inputs[0].name == "x"
    assert unusable.place(ARTIFACT, keeping.GRAPH_MAX_BYTES + 1) is None


def test_a_broken_model_is_refused_and_leaves_nothing(tmp_path: Path, graphs: GraphCache) -> None:
    """What cannot be opened is not kept."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelNotLoadable):
        open_kept(graphs, ARTIFACT, broken, threads=1)
    assert list((tmp_path / "graphs").iterdir()) == []


def test_a_sweep_leaves_what_is_served_here(file: Path, graphs: GraphCache) -> None:
    """Graphs of other models and of other runtimes go; one for another kind of processor stays for its machine."""
    open_kept(graphs, ARTIFACT, file, threads=1)
    graph = kept(graphs)
    elsewhere = graph.with_name(graph.name.replace(keeping.processor(), "0" * 12))
    older = graph.with_name(graph.name.replace(f"-{keeping.RUNTIME}-", "-1.0-"))
    other = graph.with_name(graph.name.replace(ARTIFACT, "c" * 64))
    for path in (elsewhere, older, other):
        path.write_bytes(graph.read_bytes())
    graphs.sweep({ARTIFACT})
    assert set(graph.parent.iterdir()) == {graph, elsewhere}
    graphs.sweep(())
    assert set(graph.parent.iterdir()) == set()
