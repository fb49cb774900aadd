"""A model file is measured in a child process that takes the harm."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import CliRunner

from gateway.inference.measure import measure as measure_here
from gateway.inference.measuring import Bounds, NotMeasurable, bench, measure
from gateway.inference.pace import Asked
from gateway.inference.refusals import NotOnnx, NotRunnable
from gateway.registry.card import parse_card
from lockgate.main import root
from tests import models
from tests.acceptance.cards import card

ASKED = Asked(threads=(1,), rows=(1, 2, 4), seconds=0.1, run_max_ms=1e6, bytes_max=2**20)
BOUNDS = Bounds(seconds=0.1, run_max_ms=1e6, rows_max=4)


def written(folder: Path, model: bytes) -> Path:
    """A file of these bytes."""
    path = folder / "model.onnx"
    path.write_bytes(model)
    return path


async def test_a_model_is_measured(tmp_path: Path) -> None:
    """Threads and rows in turn, every figure from at least one run of each round, and a choice for the card."""
    found = await bench(written(tmp_path, models.softmax()), "m", parse_card(card()), BOUNDS)
    assert {pace.rows for pace in found.measured.paces} == {1, 2, 4}
    for pace in found.measured.paces:
        assert pace.runs >= 1
        assert 0 < pace.rows_s_low <= pace.rows_s <= pace.rows_s_high
        assert 0 < pace.p50_ms <= (pace.p99_ms or pace.p50_ms)
    assert [opened.threads for opened in found.measured.opened] == sorted({p.threads for p in found.measured.paces})
    assert found.why_alone == ""
    assert found.choice.pace in found.measured.paces


@pytest.mark.parametrize(
    ("model", "more", "rows"),
    [
        (models.softmax, {"bytes_max": 40}, {1, 2}),
        (models.softmax, {"bytes_max": 1}, {1}),
        (models.softmax, {"run_max_ms": 0.0}, {1}),
        (models.needs_four_columns, {}, set()),
        (models.needs_four_columns, {"free_size": 4}, {1, 2, 4}),
    ],
    ids=["larger tensors", "one row always", "longer runs", "no inputs that fit", "inputs that fit"],
)
def test_only_what_can_be_run_is_measured(model: Callable[[], bytes], more: dict[str, float], rows: set[int]) -> None:
    """More rows are left out where the tensors are too large, a run takes too long or the model does not take them."""
    found = measure_here(model(), msgspec.structs.replace(ASKED, **more))
    assert {pace.rows for pace in found.paces} == rows


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (b"no model", NotOnnx),
        (models.needs_four_columns(), NotMeasurable),
    ],
)
async def test_what_is_not_admitted_is_not_measured(tmp_path: Path, model: bytes, kind: type[Exception]) -> None:
    """A broken file is refused as when it is added, and one that no made-up input fits with what to do."""
    with pytest.raises(kind):
        await bench(written(tmp_path, model), "m", None, BOUNDS)


async def test_a_file_that_the_runtime_cannot_open_is_a_refusal(tmp_path: Path) -> None:
    """Whatever goes wrong in the child is told as admission would."""
    with pytest.raises(NotRunnable):
        await measure(written(tmp_path, models.inconsistent()), ASKED)


def test_the_command_prints_and_draws(tmp_path: Path) -> None:
    """One JSON document with every figure, and a picture that is XML; no server is asked."""
    (tmp_path / "model.onnx").write_bytes(models.softmax())
    (tmp_path / "model.toml").write_text(card(), encoding="utf-8")
    words = ["bench", "model.onnx", "--card", "model.toml", "--seconds", "1", "--rows-max", "2", "--out", "m.svg"]
    done = subprocess.run(
        [sys.executable, "-m", "lockgate", *words, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told.keys() == {"benched", "card"}
    assert told["benched"]["model"] == "model.onnx"
    assert told["benched"]["measured"]["paces"][0].keys() == {
        "threads", "rows", "runs", "rows_s", "rows_s_low", "rows_s_high", "p50_ms", "p99_ms",
    }  # fmt: skip
    assert told["benched"]["choice"]["pace"] in told["benched"]["measured"]["paces"]
    assert ElementTree.parse(tmp_path / "m.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "The plot is in m.svg." in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gone.onnx"], "gone.onnx cannot be read: there is no such file."),
        (["model.onnx"], "The file is not an ONNX model"),
        (["model.onnx", "--card", "model.onnx"], "may not be served yet"),
        (["model.onnx", "--out", "m.png"], "m.png must end in .svg or .html"),
        (["sentiment", "--card", "model.onnx"], "--card goes with a file"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    """One sentence for whatever cannot be measured."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(b"no model")
    done = CliRunner().invoke(root, ["bench", *words])
    assert says in f"{done.output}{done.exception}"
    assert done.exit_code
