"""The command of the recipe: fits the model to its first sentences and to those that people have judged since.

It runs in a folder of its own, in which the server has laid copies of this code, the archive, `parameters.json` and the
training split of a dataset. Nothing of the held-out split is there, and nothing else is looked for.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from demo.data.reviews import load_snippets, split_snippets
from demo.models.sentiment.train import fit_sentences, onnx_bytes

ARCHIVE = Path(".demo/data/vaderSentiment-0.5.zip")


def main() -> None:
    """Write the model file that `parameters.json` asks for."""
    told = json.loads(Path("parameters.json").read_text(encoding="utf-8"))
    first = split_snippets(load_snippets(ARCHIVE)).train
    texts, labels = judged(Path(told["items"]))
    print(f"{len(first)} sentences that it first learned from, {len(texts)} that people have judged since")
    print("progress 0.2", flush=True)
    weight, order = int(told["parameters"]["weight"]), np.random.default_rng(told["seed"])
    rows = [(each.text, each.label) for each in first] + list(zip(texts, labels, strict=True)) * weight
    shuffled = [rows[at] for at in order.permutation(len(rows))]
    pipeline = fit_sentences(*map(list, zip(*shuffled, strict=True)))
    print("progress 0.8", flush=True)
    Path(told["output"]).write_bytes(onnx_bytes(pipeline))
    print("progress 1.0", flush=True)


def judged(items: Path) -> tuple[list[str], list[str]]:
    """Text and answer of each item of a dataset's file."""
    table: Any = pq.read_table(items, columns=["input.text", "answer"])
    texts = [text for (text,) in table["input.text"].to_pylist()]
    return texts, [json.loads(answer) for answer in table["answer"].to_pylist()]


if __name__ == "__main__":
    main()
