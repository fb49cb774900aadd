"""Parquet files of datasets: their bytes depend on the rows alone."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from review.learning.parquet import ANNOTATIONS, GROUP_ROWS, ParquetWriter, items_schema, read_rows


def annotation(number: int) -> tuple[object, ...]:
    """A verdict; each is another one."""
    return (
        f"p{number}", 1, "hold", "person-1", "approve", '"a"', "", None, number, 1.5, "0" * 64, 1, False, True,
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 7, GROUP_ROWS - 1, GROUP_ROWS, 3 * GROUP_ROWS])
def test_the_bytes_do_not_depend_on_how_many_rows_come_at_once(tmp_path: Path, at_once: int) -> None:
    """Groups are cut by count alone, so pages of any size make the same file."""
    rows = [annotation(number) for number in range(2 * GROUP_ROWS + 5)]
    made = []
    for name, size in (("whole", len(rows)), ("pieces", at_once)):
        writer = ParquetWriter(tmp_path / name, ANNOTATIONS)
        for start in range(0, len(rows), size):
            writer.add(rows[start : start + size], {})
        writer.close()
        assert writer.rows == len(rows)
        made.append(sha256((tmp_path / name).read_bytes()).digest())
    assert made[0] == made[1]


def test_tensors_come_back_as_they_were_and_a_missing_one_is_null(tmp_path: Path) -> None:
    """Elements in row-major order, with each row's shape; rows of different shapes stand in one file."""
    writer = ParquetWriter(
        tmp_path / "items", items_schema({"x": "FP32"}, {"note": "BYTES"}, []), ["input.x", "beside.note"]
    )
    plain = ("0" * 64, '"a"', "hold", 1.0, 1, "people", 1, '"a"', 0.5, 1, 2, "train")
    writer.add([("p1", 1, *plain), ("p1", 2, *plain)], {"input.x": np.arange(12, dtype=np.float32).reshape(2, 2, 3)})
    note = np.array(["look"], dtype=object)
    writer.add([("p2", 1, *plain)], {"input.x": np.zeros((1, 1), dtype=np.float32), "beside.note": note})
    writer.close()
    (batch,) = read_rows(tmp_path / "items", ("input.x", "shape.x", "beside.note", "shape.note"))
    assert batch["input.x"] == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0], [0.0]]
    assert batch["shape.x"] == [[2, 3], [2, 3], [1]]
    assert (batch["beside.note"], batch["shape.note"]) == ([None, None, ["look"]], [None, None, []])
