"""Model files are admitted, or refused with what to do about it, and no file harms the process that asks."""

import asyncio
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from gateway.inference import refusals
from gateway.inference.admission import RuntimeWords, admit
from gateway.inference.guess import guess
from gateway.inference.inspect import inspect
from gateway.inference.report import AdmissionLimits, AdmissionReport
from gateway.inference.samples import sample_feeds
from gateway.inference.session import OnnxSession
from gateway.protocol.signature import TensorSpec
from tests import models

LIMITS = AdmissionLimits(memory_max_bytes=2 * 1024**3, wall_s=60)


async def admitted(folder: Path, model: bytes, limits: AdmissionLimits = LIMITS) -> AdmissionReport:
    """The report about these bytes as a file."""
    path = folder / "model.onnx"
    path.write_bytes(model)
    return await admit(path, limits)


REFUSED = [
    (models.double_zipmap, refusals.ZipmapOutput, "options={'zipmap': False}"),
    (models.multi_output_classifier, refusals.SequenceOutput, "one model a label"),
    (models.margins_classifier, refusals.MarginsAsProbabilities, "CalibratedClassifierCV"),
    (models.missing_locale, refusals.MissingLocale, "'xx_YY.UTF-8'"),
    (models.bfloat16, refusals.UnfeedableInput, "bfloat16"),
    (models.undeclared_shape, refusals.UndeclaredShape, "'x'"),
    (models.external_data, refusals.ExternalData, "one file"),
    (models.external_data_in_subgraph, refusals.ExternalData, "'c'"),
    (models.unknown_operator, refusals.UnknownOperator, "'Nonsense'"),
    (models.unknown_domain, refusals.UnknownDomain, "'com.example.vision'"),
    (models.newer_opset, refusals.OpsetTooNew, "999"),
    (models.reserved_name, refusals.ReservedName, "'review_status'"),
    (models.inconsistent, refusals.NotRunnable, "cannot load"),
    (models.memory_bomb, refusals.OutOfMemory, "2048 MiB"),
]


@pytest.mark.parametrize(("model", "kind", "remedy"), REFUSED, ids=[row[0].__name__ for row in REFUSED])
async def test_what_cannot_be_served_is_refused_with_a_remedy(
    tmp_path: Path, model: object, kind: type[refusals.AdmissionRefused], remedy: str
) -> None:
    """Each real-world mistake has its own refusal, which says what to do; the runtime's words stay in the cause."""
    with pytest.raises(refusals.AdmissionRefused) as refused:
        await admitted(tmp_path, model())  # type: ignore[operator]
    assert type(refused.value) is kind
    assert remedy in str(refused.value)
    assert "ONNXRuntimeError" not in str(refused.value)
    assert isinstance(refused.value.__cause__, RuntimeWords)


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        (models.zipmap_classifier, ("negative", "neutral", "positive")),
        (models.numbered_zipmap, ("2", "9", "16")),
    ],
)
async def test_a_zipmap_becomes_a_tensor(tmp_path: Path, model: Callable[[], bytes], labels: tuple[str, ...]) -> None:
    """A list of dictionaries is one FP32 column a class, in the order of the keys, which the report names."""
    report = await admitted(tmp_path, model())
    output = report.signature.outputs[1]
    assert (output.name, output.datatype, output.shape) == ("output_probability", "FP32", (-1, -1))
    assert report.class_labels == labels
    assert [(found.meaning, found.per_item) for found in report.probe.outputs][1] == ("probabilities", True)


UNFED = ("BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT4E2M1", "INT4", "UINT4",
         "COMPLEX64", "COMPLEX128")  # fmt: skip


@pytest.mark.parametrize("kind", UNFED)
def test_what_cannot_be_fed_or_told_is_refused_by_name(kind: str) -> None:
    """Element types without a datatype of the protocol are named, as inputs and as outputs."""
    with pytest.raises(refusals.UnfeedableInput, match=f"Input 'x' is of type {kind.lower()}, which cannot be fed"):
        inspect(models.of_types(kind, "FLOAT"))
    with pytest.raises(refusals.UncarriedOutput, match=f"Output 'y' is of type {kind.lower()}, which the protocol"):
        inspect(models.of_types("FLOAT", kind))


@pytest.mark.parametrize(
    ("kind", "name"), [("sparse", "sparse tensor"), ("sequence", "sequence"), ("map", "map"), ("optional", "optional")]
)
def test_what_is_no_dense_tensor_is_refused_by_name(kind: str, name: str) -> None:
    """Sparse tensors, sequences, maps and optionals cannot be fed, and sparse tensors and optionals cannot be told."""
    with pytest.raises(refusals.StructuredInput, match=f"Input 'x' is a {name}, and only tensors can be fed"):
        inspect(models.of_structure(kind, "float"))
    if kind in ("sparse", "optional"):
        with pytest.raises(refusals.UncarriedOutput, match=f"Output 'y' is of type {name}"):
            inspect(models.of_structure("float", kind))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
async def test_no_path_leads_out_of_the_file(tmp_path: Path, location: str) -> None:
    """External data is refused whatever it points to, a file beside the model and a link included."""
    (tmp_path / "weights.bin").symlink_to("/etc/passwd")
    with pytest.raises(refusals.ExternalData):
        await admitted(tmp_path, models.external_data(location))


@pytest.mark.parametrize("file", [b"", b"not a model", b"\x08\x0a", models.softmax()[:50], os.urandom(4096)])
async def test_what_is_no_model_is_refused(tmp_path: Path, file: bytes) -> None:
    """Empty, foreign and cut-off files are refused as such."""
    with pytest.raises(refusals.NotOnnx):
        await admitted(tmp_path, file)


async def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path without a file is no model."""
    with pytest.raises(refusals.NotOnnx):
        await admit(tmp_path / "gone.onnx")


async def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    """The size is checked before a process is started."""
    with pytest.raises(refusals.FileTooLarge, match="at most 100"):
        await admitted(tmp_path, models.softmax(), AdmissionLimits(file_max_bytes=100))


async def test_a_model_without_end_is_stopped(tmp_path: Path) -> None:
    """A probe that does not end is ended by the wall clock."""
    started = monotonic()
    with pytest.raises(refusals.OutOfTime, match="2 s"):
        await admitted(tmp_path, models.endless_loop(), AdmissionLimits(wall_s=2))
    assert monotonic() - started < 10


async def test_a_model_that_burns_the_processor_is_stopped(tmp_path: Path) -> None:
    """A probe that does not end is ended by its processor time too."""
    with pytest.raises(refusals.OutOfTime):
        await admitted(tmp_path, models.endless_loop(), AdmissionLimits(cpu_s=2))


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a shell script in the place of the interpreter that looks at models."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


async def test_admission_that_is_cancelled_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops waiting stops the child."""
    started = tmp_path / "started"
    os.mkfifo(started)
    stand_in(tmp_path, monkeypatch, f"echo $$ > {started}; exec sleep 600")
    admission = asyncio.create_task(admitted(tmp_path, models.softmax()))
    child = int(await next_line(started))
    admission.cancel()
    with pytest.raises(asyncio.CancelledError):
        await admission
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def next_line(fifo: Path) -> bytes:
    """What another process writes into a named pipe."""
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    written = asyncio.Event()
    asyncio.get_running_loop().add_reader(reader, written.set)
    try:
        async with asyncio.timeout(30):
            await written.wait()
        return os.read(reader, 100)
    finally:
        asyncio.get_running_loop().remove_reader(reader)
        os.close(reader)


async def test_nothing_of_our_environment_reaches_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child starts with none of our variables, so that no secret can leak into it."""
    monkeypatch.setenv("LOCKGATE_SECRET", "hunter2")
    seen = tmp_path / "seen"
    stand_in(tmp_path, monkeypatch, f"env > {seen}")
    with pytest.raises(refusals.Crashed):
        await admitted(tmp_path, models.softmax())
    assert "OMP_NUM_THREADS=1" in seen.read_text()
    assert "hunter2" not in seen.read_text()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("kill -SEGV $$", refusals.Crashed),
        ("kill -ABRT $$", refusals.Crashed),
        ("kill -KILL $$", refusals.OutOfMemory),
        ("kill -XCPU $$", refusals.OutOfTime),
        ("echo nonsense", refusals.Crashed),
        ('echo \'{"type":"refused","code":"zipmap-output"}\'', refusals.AdmissionRefused),
        ('echo \'{"type":"refused","code":"of-another-version"}\'', refusals.AdmissionRefused),
        ("head -c 5000000 /dev/zero", refusals.Crashed),
        ("sleep 600 & echo nonsense", refusals.Crashed),
    ],
)
async def test_however_the_child_ends_the_parent_knows_what_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, kind: type[refusals.AdmissionRefused]
) -> None:
    """A crash, a kill, nonsense, too much talk and a stray grandchild each become a refusal."""
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(refusals.AdmissionRefused) as refused:
        await admitted(tmp_path, models.softmax())
    assert type(refused.value) is kind


async def test_a_text_classifier_is_understood(tmp_path: Path) -> None:
    """The report of the usual export has its signature, class order and behaviour, enough to guess a card."""
    report = await admitted(tmp_path, models.text_classifier())
    assert report.sha256 == sha256(models.text_classifier()).hexdigest()
    assert report.signature.inputs == (TensorSpec(name="text", datatype="BYTES", shape=(-1,)),)
    assert report.class_labels == ("negative", "neutral", "positive")
    assert report.probe.batching == "independent"
    assert report.probe.deterministic
    assert report.probe.cost_us is not None
    assert report.probe.cost_us > 0
    assert report.warnings == ()
    guessed = guess(report)
    assert (guessed.answer, guessed.confidence, guessed.shown) == ("label", "probabilities", "text")
    assert guessed.classes == ("negative", "neutral", "positive")


@pytest.mark.parametrize(
    ("model", "labels"),
    [(models.tree_classifier, ("0", "1", "2")), (models.network_classifier, ("a", "b", "c")), (models.softmax, ())],
)
async def test_the_class_order_is_read_from_the_graph(tmp_path: Path, model: object, labels: tuple[str, ...]) -> None:
    """Attributes and constants that hold the labels are found; a plain network names none."""
    report = await admitted(tmp_path, model())  # type: ignore[operator]
    assert report.class_labels == labels
    assert guess(report).confidence == "probabilities"


async def test_several_inputs_make_a_table(tmp_path: Path) -> None:
    """Named columns of several datatypes are admitted and shown as a table."""
    report = await admitted(tmp_path, models.tabular())
    assert [spec.datatype for spec in report.signature.inputs] == ["FP32", "INT64", "BYTES"]
    guessed = guess(report)
    assert (guessed.confidence, guessed.confidence_meaning, guessed.shown) == ("score", "probability", "table")


@pytest.mark.parametrize(
    ("model", "batching", "warning"),
    [
        (models.fixed_batch, "fixed", None),
        (models.mixes_rows, "mixed", "depends on the other items"),
        (models.not_finite, "independent", "held NaN or infinity"),
        (models.untrue_shape, "independent", "declares the shape [-1, 7], but gives [-1, 3]"),
        (models.random, "mixed", "differently each time"),
        (models.needs_four_columns, "unknown", "could not be run"),
    ],
)
async def test_the_probe_sees_how_a_model_behaves(
    tmp_path: Path, model: object, batching: str, warning: str | None
) -> None:
    """Batching and oddities are found by running the model, and the owner is warned."""
    report = await admitted(tmp_path, model())  # type: ignore[operator]
    assert report.probe.batching == batching
    assert any(warning in text for text in report.warnings) if warning else report.warnings == ()


async def test_an_untrue_output_shape_is_corrected(tmp_path: Path) -> None:
    """The signature gives the shape that came, not the one that the file declares."""
    report = await admitted(tmp_path, models.untrue_shape())
    assert report.signature.outputs[0].shape == (-1, 3)


def test_the_made_up_inputs_are_the_same_each_time() -> None:
    """Admission of the same file gives the same report, for its samples are seeded."""
    signature = OnnxSession.open(models.tabular()).signature
    one, other = (sample_feeds(signature, items=3) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
