"""Exports as pure as they can be: the documented columns, safe cells, and batches that never grow."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gateway.ids import new_id
from review.console.shown import ShownInput
from review.library.corrections import Correction, Said
from review.library.export import BATCH_ROWS, COLUMNS, FORMULA, Format, export

PAGE = Path(__file__).parents[3] / "docs" / "outcomes.md"


def correction(**fields: Any) -> Correction:
    """A correction with these values."""
    made: dict[str, Any] = {
        "prediction_id": new_id(), "item": 1, "revision": 1, "model": "sentiment", "release": "sentiment@1",
        "kind": "hold", "queue": "default", "source": "people", "status": "answered", "answer": "positive",
        "model_answer": "negative", "confidence": 0.41, "differs": True, "is_truth": True, "said": (), "shown": (),
        "request_id": None, "decided_us": 1, "created_us": 2,
    }  # fmt: skip
    return Correction(**made | fields)


async def _all(corrections: list[Correction]) -> AsyncIterator[Correction]:
    for each in corrections:
        yield each


async def parts(corrections: list[Correction], format_: Format) -> list[bytes]:
    """The parts in which the file is written."""
    return [part async for part in export(_all(corrections), format_)]


def test_the_page_lists_the_columns() -> None:
    """docs/outcomes.md has every column in order, with its type and what it holds."""
    rows = [f"| `{column.name}` | {column.dtype} | {column.meaning} |" for column in COLUMNS]
    assert "\n".join(rows) in PAGE.read_text()


@pytest.mark.parametrize("mark", FORMULA)
async def test_a_cell_that_begins_a_formula_is_marked(mark: str) -> None:
    """In CSV it stands behind an apostrophe, which gives the text again once it is taken away."""
    text = f"{mark}1+1"
    said = Said(
        person="Ada", kind="correct", answer=text, reason_code="other", rationale=text, adjudicated=False, created_us=1
    )
    shown = ShownInput(kind="text", title="Text", text=text)
    data = b"".join(await parts([correction(answer=text, said=(said,), shown=(shown,))], "csv"))
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert (row["answer"], row["rationales"], row["shown"]) == (f"'{text}",) * 3
    assert not any(cell.startswith(FORMULA[:-1]) for cell in row.values())


async def test_a_number_is_text_that_gives_it_again() -> None:
    """Also a negative one, whose sign no spreadsheet takes for a formula."""
    data = b"".join(await parts([correction(answer=-0.1, model_answer=1e300)], "csv"))
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert (row["answer"], row["model_answer"]) == ("'-0.1", "1e+300")


@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl"])
async def test_a_file_is_written_batch_by_batch(format_: Format) -> None:
    """A part leaves after each batch, before the next is read; together they are the whole."""
    read = 0

    async def counted() -> AsyncIterator[Correction]:
        nonlocal read
        for _ in range(2 * BATCH_ROWS + 1):
            read += 1
            yield correction()

    found, after = [], []
    async for part in export(counted(), format_):
        found.append(part)
        after.append(read)
    assert after == [BATCH_ROWS, 2 * BATCH_ROWS, 2 * BATCH_ROWS + 1]
    data = b"".join(found)
    if format_ == "parquet":
        assert pq.read_table(io.BytesIO(data)).num_rows == 2 * BATCH_ROWS + 1
    else:
        assert len(data.splitlines()) == 2 * BATCH_ROWS + 1 + (format_ == "csv")


async def test_nothing_is_a_whole_file_too() -> None:
    """Without a row a CSV has its heading, Parquet its schema, JSON Lines nothing."""
    assert b"".join(await parts([], "csv")).startswith(b"prediction_id,item,")
    assert b"".join(await parts([], "jsonl")) == b""
    assert pq.read_table(io.BytesIO(b"".join(await parts([], "parquet")))).num_columns == len(COLUMNS)
