"""Sessions run real models."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.inference.errors import ModelFailed, ModelNotLoadable, ModelOutOfMemory, ModelRefusedValues
from gateway.inference.samples import sample_feeds
from gateway.inference.session import INLINE_MAX_US, Cost, OnnxSession
from gateway.protocol.datatypes import NUMPY
from gateway.protocol.signature import TensorSpec
from tests import models

TOO_MUCH = 2**46
VALUES = {"BOOL": [True, False], "BYTES": ["a\0b", "é😀"]}


class Watched(OnnxSession):
    """A session that notes which threads run it."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.threads: list[threading.Thread] = []

    def run(self, *arguments: Any) -> dict[str, np.ndarray]:
        """Runs and notes the thread."""
        self.threads.append(threading.current_thread())
        return super().run(*arguments)


async def threads_of(session: Watched, items: int = 1, times: int = 1) -> set[threading.Thread]:
    """The threads in which the session answers."""
    session.threads.clear()
    for _ in range(times):
        await session.infer(sample_feeds(session.signature, items=1), items=items)
    return set(session.threads)


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


async def test_a_small_model_runs_on_the_loop() -> None:
    """A short run is done by the thread that asked for it."""
    session = Watched.open(models.softmax())
    session.warm_up()
    assert session.cost.of(1) < INLINE_MAX_US
    assert await threads_of(session) == {threading.current_thread()}


async def test_a_large_model_runs_in_its_own_thread() -> None:
    """A long run leaves the loop free and always uses the same single thread."""
    session = Watched.open(models.heavy(512, 200))
    session.warm_up()
    assert session.cost.of(1) > INLINE_MAX_US
    [thread] = await threads_of(session, times=3)
    assert thread is not threading.current_thread()


async def test_many_items_make_a_small_model_large() -> None:
    """The number of items counts: the same model runs a long batch in its thread."""
    session = Watched.open(models.softmax())
    session.cost = Cost(first_us=20, further_us=1)
    assert await threads_of(session, items=10) == {threading.current_thread()}
    assert threading.current_thread() not in await threads_of(session, items=1000)


def test_a_model_that_fails_on_made_up_inputs_is_taken_for_large() -> None:
    """Unknown cost never runs on the loop."""
    session = OnnxSession.open(models.memory_bomb(TOO_MUCH))
    session.warm_up()
    assert session.cost.of(1) == float("inf")


async def test_a_cancelled_caller_does_not_disturb_the_next() -> None:
    """A run that nobody waits for any more ends by itself, and the session answers on."""
    session = OnnxSession.open(models.heavy(512, 200))
    feeds = sample_feeds(session.signature, items=4)
    abandoned = asyncio.create_task(session.infer(feeds))
    await asyncio.sleep(0)
    abandoned.cancel()
    with pytest.raises(asyncio.CancelledError):
        await abandoned
    assert np.array_equal((await session.infer(feeds))["y"], feeds["x"])


def test_the_gateway_never_loads_the_graph_library() -> None:
    """Admission, sessions, cache and guesses come without onnx, pyarrow and duckdb."""
    modules = ("admission", "session", "cache", "guess", "refusals")
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
