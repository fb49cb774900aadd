"""Models as people have them, through a real server: what they give is what the caller reads, whichever way it asks."""

import json

import numpy as np
import pytest

from tests.acceptance.tensors import LENGTH, read
from tests.acceptance.ways import WAYS, Way, Ways, kinds, numbers, texts, tokens
from tests.shapes import table

IDS = [[1, 2, 0], [3, 0, 15]]
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_a_state_is_carried_from_request_to_request(ways: Ways, way: Way) -> None:
    """A sequence in two requests, each given the state that the one before gave, ends as in one request."""
    whole = ways.ask(way, "recurrent", tokens(IDS))
    first = ways.ask(way, "recurrent", tokens([row[:1] for row in IDS]))
    second = ways.ask(way, "recurrent", tokens([row[1:] for row in IDS], first["state_out"]))
    assert whole["state_out"].shape == (1, 2, 4)
    assert np.array_equal(second["state_out"], whole["state_out"])
    assert second["label"].tolist() == whole["label"].tolist()


@every_way
def test_axes_may_have_any_size(ways: Ways, way: Way) -> None:
    """Rows and columns vary from request to request, each of them down to none."""
    for rows, columns in ((1, 1), (3, 7), (2, 0), (0, 3)):
        ids = np.arange(rows * columns).reshape(rows, columns) % 16
        hidden = ways.ask(way, "recurrent", tokens(ids))["hidden"]
        assert np.array_equal(hidden, table()[ids])


@every_way
def test_token_ids_are_fed_as_they_are(ways: Ways, way: Way) -> None:
    """An id that the model knows finds its row, one that it does not know is refused as a value, for that caller."""
    assert np.array_equal(ways.ask(way, "recurrent", tokens([[15]]))["hidden"][0, 0], table()[15])
    for unknown in (16, 2**62):
        assert ways.refusal(way, "recurrent", tokens([[unknown]])) == "model-refused-values"


@every_way
def test_outputs_of_every_shape_are_told(ways: Ways, way: Way) -> None:
    """Texts, truths, a scalar, as many rows as were found, and a shape that the file does not declare."""
    told = ways.ask(way, "recurrent", tokens(IDS, threshold=0.7))
    sums = table()[np.array(IDS)].astype(np.float32).sum(axis=1)
    score = 1 / (1 + np.exp(-sums.sum(axis=1)))
    assert told["label"].tolist() == ["long" if each > 0.7 else "short" for each in score]
    assert told["over"].tolist() == [bool(each > 0.7) for each in score]
    assert (told["total"].shape, told["total"].dtype) == ((), np.float64)
    assert told["total"] == pytest.approx(score.sum())
    assert told["hits"].tolist() == [[0, 0], [0, 1], [1, 0], [1, 2]]
    assert told["untrue"].shape == (2, 4)
    assert np.allclose(told["untrue"], sums)


def test_the_shapes_that_are_told_of_a_model_are_those_it_gives(ways: Ways) -> None:
    """Metadata and configuration tell a scalar, free sizes, and the observed shape where the declared one is untrue."""
    metadata = ways.client.get("/v2/models/recurrent").json()
    shapes = {each["name"]: each["shape"] for each in (*metadata["inputs"], *metadata["outputs"])}
    assert (shapes["ids"], shapes["state"], shapes["threshold"]) == ([-1, -1], [1, -1, 4], [])
    assert (shapes["untrue"], shapes["total"], shapes["hits"]) == ([-1, 4], [], [-1, 2])
    configured = ways.client.get("/v2/models/recurrent/config").json()
    assert {"name": "untrue", "data_type": "TYPE_FP32", "dims": [-1, 4]} in configured["output"]


@every_way
def test_half_precision_goes_in_and_comes_out(ways: Ways, way: Way) -> None:
    """FP16 keeps every bit, its largest number and its smallest fraction."""
    state = np.array([[[65504, 2**-24, -0.0, 0.1]]], np.float16)
    told = ways.ask(way, "recurrent", tokens([[0]], state))["state_out"]
    assert told.dtype == np.float16
    assert told.tobytes() == (state + np.float16(0)).tobytes()


@every_way
def test_a_large_output_is_told_whole(ways: Ways, way: Way) -> None:
    """Two hundred thousand numbers come for a request of fifty thousand."""
    ids = np.arange(50_000).reshape(1, -1) % 2  # more would not fit in the FP16 of the state
    told = ways.ask(way, "recurrent", tokens(ids))
    assert np.array_equal(told["hidden"], table()[ids])


@every_way
def test_a_zipmap_is_a_tensor_with_named_columns(ways: Ways, way: Way) -> None:
    """The dictionaries of a classifier are one row an item, and its text labels are texts."""
    told = ways.ask(way, "zipped", texts("a lovely clear day", "awful dull thing"))
    assert told["output_label"].tolist() == ["positive", "negative"]
    chances = told["output_probability"]
    assert (chances.shape, chances.dtype) == ((2, 3), np.float32)
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)
    classes = ("negative", "neutral", "positive")
    assert [classes[each] for each in chances.argmax(axis=1)] == told["output_label"].tolist()


@every_way
def test_an_empty_batch_is_answered(ways: Ways, way: Way) -> None:
    """No items in, no items out, of every datatype; a model that takes none of them says so."""
    told = ways.ask(way, "each-kind", kinds((0, 2)))
    assert {name: array.shape for name, array in told.items()} == {
        name: (0,) if name == "score" else (0, 2) for name in told
    }
    assert ways.refusal(way, "zipped", texts()) == "model-refused-values"


@pytest.mark.parametrize("way", ["JSON", "binary"])
def test_what_is_not_finite_is_never_told_silently(ways: Ways, way: Way) -> None:
    """By default such an answer is held and then 422; where the card says so it is null, or itself, and counted."""
    held = ways.post(way, "bounds", numbers(1, 0))
    assert (held.status_code, held.json()["type"]) == (503, "/docs/errors#held-too-long")
    answer = ways.post(way, "lenient-bounds", numbers(1, 0, -1))
    said = json.loads(answer.content[: int(answer.headers.get(LENGTH, len(answer.content)))])
    assert said["parameters"]["not_finite"] is True
    bound = next(each for each in said["outputs"] if each["name"] == "bound")
    assert bound["parameters"]["not_finite"] == 2
    if way == "JSON":
        assert bound["data"] == [0.0, None, None]
    else:
        told = read(answer)[1]["bound"]
        assert told.tolist()[:2] == [0.0, -np.inf]
        assert np.isnan(told[2])
    finite = ways.post(way, "lenient-bounds", numbers(1, 2))
    assert b"not_finite" not in finite.content
