"""Sessions run real models."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest

from gateway.inference.errors import (
    ModelFailed,
    ModelNotLoadable,
    ModelOutOfMemory,
    ModelRefusedValues,
    ProviderUnusable,
)
from gateway.inference.providers import BY_CPU, Provider
from gateway.inference.session import Cost, OnnxSession
from gateway.protocol.datatypes import NUMPY
from gateway.protocol.signature import TensorSpec
from tests import models

TOO_MUCH = 2**46
VALUES = {"BOOL": [True, False], "BYTES": ["a\0b", "é😀"]}


@pytest.mark.parametrize("datatype", NUMPY)
def test_every_datatype_passes_through_a_model(datatype: str) -> None:
    """What is fed to an identity model comes back with values, dtype and shape unchanged."""
    session = OnnxSession.open(models.identity(datatype, ("n", 2)))
    fed = np.array([VALUES.get(datatype, [1, 2])], NUMPY[datatype])
    output = session.run({"x": fed})["y"]
    assert session.signature.inputs == (TensorSpec(name="x", datatype=datatype, shape=(-1, 2)),)
    assert output.dtype == fed.dtype
    assert output.tolist() == fed.tolist()


def test_named_inputs_and_outputs_find_each_other() -> None:
    """Inputs are fed by name, and only the outputs that were asked for come back."""
    session = OnnxSession.open(models.add_sub())
    feeds = {"INPUT1": np.full((1, 16), 2, np.int32), "INPUT0": np.full((1, 16), 5, np.int32)}
    assert session.run(feeds, ["OUTPUT1"])["OUTPUT1"].tolist() == [[3] * 16]
    assert set(session.run(feeds)) == {"OUTPUT0", "OUTPUT1"}


def test_a_scalar_comes_back_as_an_array() -> None:
    """A model without dimensions gives an array without dimensions."""
    output = OnnxSession.open(models.identity("FP32", ())).run({"x": np.array(2.5, np.float32)})["y"]
    assert (output.shape, output.dtype) == ((), np.float32)


@pytest.mark.parametrize(
    ("model", "feed", "kind"),
    [
        (models.identity(), np.zeros((1, 1), np.float32), ModelRefusedValues),
        (models.identity(), np.zeros(1, np.float64), ModelRefusedValues),
        (models.memory_bomb(TOO_MUCH), np.zeros(1, np.float32), ModelOutOfMemory),
    ],
    ids=["another rank", "another dtype", "too much memory"],
)
def test_a_failing_run_says_nothing_of_the_driver(model: bytes, feed: np.ndarray, kind: type[Exception]) -> None:
    """Errors of the runtime become errors of ours; its words stay in the cause."""
    with pytest.raises(kind) as failed:
        OnnxSession.open(model).run({"x": feed})
    assert "ONNXRuntimeError" not in str(failed.value)
    assert "ONNXRuntimeError" in str(failed.value.__cause__)


def test_a_missing_feed_is_the_models_failure() -> None:
    """Feeds that the decoder would have refused do not escape as a driver's error."""
    with pytest.raises(ModelFailed):
        OnnxSession.open(models.identity()).run({})


@pytest.mark.parametrize("model", [b"", b"no model", models.unknown_operator(), models.bfloat16()])
def test_what_cannot_be_opened_is_refused(model: bytes) -> None:
    """A broken or unfeedable file raises ModelNotLoadable."""
    with pytest.raises(ModelNotLoadable):
        OnnxSession.open(model)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere raises ModelNotLoadable without naming it."""
    with pytest.raises(ModelNotLoadable) as refused:
        OnnxSession.open(tmp_path / "gone.onnx")
    assert "gone" not in str(refused.value)


def test_a_model_that_fails_on_made_up_inputs_is_taken_for_large() -> None:
    """Unknown cost never runs on the loop."""
    session = OnnxSession.open(models.memory_bomb(TOO_MUCH))
    session.warm_up()
    assert session.cost.of(1) == float("inf")


def test_the_gateway_never_loads_the_graph_library() -> None:
    """Admission, sessions, cache and guesses come without onnx, pyarrow and duckdb."""
    modules = ("admission", "batching", "session", "cache", "guess", "refusals")
    code = (
        "import sys\n"
        + "".join(f"import gateway.inference.{module}\n" for module in modules)
        + "print(sorted({'onnx', 'pyarrow', 'duckdb', 'jinja2', 'google.protobuf'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


def test_a_zipmap_is_a_tensor() -> None:
    """The same classifier gives the same numbers whether its probabilities were exported as dictionaries or not."""
    feeds = {"text": np.array(["a lovely clear day", "bad broken mess"], object)}
    zipped, plain = (OnnxSession.open(model()) for model in (models.zipmap_classifier, models.text_classifier))
    [_, numbers] = zipped.run(feeds).values()
    assert numbers.dtype == np.float32
    assert np.array_equal(numbers, plain.run(feeds)["probabilities"])
    assert zipped.signature.outputs[1] == TensorSpec(name="output_probability", datatype="FP32", shape=(-1, -1))
    [alone] = zipped.run(feeds, ["output_probability"]).values()
    assert np.array_equal(alone, numbers)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_silently_is_not_used_is_refused() -> None:
    """onnxruntime opens a session by the processor where it cannot use what was asked; that counts as absent."""
    cuda = Provider(name="cuda", options={"device_id": "0"})
    with pytest.raises(ProviderUnusable, match="provider cuda, and could not begin to use it"):
        OnnxSession.open(models.softmax(), providers=(cuda,))
    session = OnnxSession.open(models.softmax(), providers=(cuda, *BY_CPU))
    assert session.provider == "cpu"
    assert session.run({"x": np.zeros((1, 4), np.float32)})["probabilities"].shape == (1, 3)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_broken_file_is_no_fault_of_the_provider() -> None:
    """Where the processor comes last and the file cannot be opened at all, that is what is said."""
    with pytest.raises(ModelNotLoadable):
        OnnxSession.open(b"no model", providers=(Provider(name="cuda"), *BY_CPU))


def convolution() -> bytes:
    """A model of pictures whose free height and width must be 3 at least."""
    weights = models.constant("k", np.ones((1, 1, 3, 3), np.float32))
    nodes = [models.node("Conv", "x k", "y", kernel_shape=[3, 3])]
    return models.build(
        nodes,
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ("n", 1, "h", "w"))],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ("n", 1, "a", "b"))],
        initializers=(weights,),
    ).SerializeToString()


def test_free_sizes_are_tried_until_the_model_takes_one() -> None:
    """What admission's samples found, warm-up finds, too: a picture of one pixel is too small for a convolution."""
    session = OnnxSession.open(convolution())
    session.warm_up()
    assert session.cost.first_us < float("inf")


def test_the_usual_shape_of_the_card_is_what_is_run() -> None:
    """A model that takes no made-up size is warm with the one that its owner tells; without it its cost is unknown."""
    session = OnnxSession.open(models.needs_four_columns())
    session.warm_up()
    assert session.cost == Cost()
    session.warm_up({"x": (-1, 4)}, rows=64)
    assert session.cost.first_us < float("inf")


def test_a_long_run_goes_behind_the_loop() -> None:
    """Where threads have a priority of their own, the session's has a lower one than that which serves requests."""

    def niceness(_: object) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    session, ours = OnnxSession.open(models.softmax()), niceness(None)
    assert session.in_thread(niceness, None).result() == (min(19, ours + 5) if sys.platform == "linux" else ours)
    assert niceness(None) == ours
    session.close()
