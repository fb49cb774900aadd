"""MLServer's own types as a judge of answers: `mlserver_types.py FILE`; what it objects to, as JSON.

FILE has one JSON object a line: what the answer is (`infer`, `server`, `model`, `index`, `error`), its body as a text,
and for an answer with tensors what its outputs must be. Bodies are judged as they are, without any conversion, and
tensors are decoded by MLServer's codecs. It runs in an environment that holds MLServer and nothing of ours.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mlserver import types
from mlserver.codecs import NumpyCodec, StringCodec
from pydantic import BaseModel, ValidationError

KINDS: dict[str, type[BaseModel]] = {
    "infer": types.InferenceResponse,
    "server": types.MetadataServerResponse,
    "model": types.MetadataModelResponse,
    "index": types.RepositoryIndexResponse,
    "error": types.InferenceErrorResponse,
}


def faults(kind: str, body: str, expected: dict[str, list[Any]]) -> Iterator[str]:
    """What is wrong with a body."""
    try:
        answer = KINDS[kind].model_validate_json(body, strict=True)
    except ValidationError as error:
        yield f"{kind}: {error.errors(include_url=False, include_input=False)}"
        return
    if isinstance(answer, types.InferenceErrorResponse) and not answer.error:
        yield "error: it says nothing"
    if isinstance(answer, types.InferenceResponse):
        yield from _wrong_outputs(answer, expected)


def _wrong_outputs(answer: types.InferenceResponse, expected: dict[str, list[Any]]) -> Iterator[str]:
    told = {output.name: output for output in answer.outputs}
    if expected and set(told) != set(expected):
        yield f"infer: the outputs are {sorted(told)}"
    for name, (shape, elements) in expected.items():
        output = told[name]
        if output.datatype == "BYTES":
            found = StringCodec.decode_output(output)
        else:
            found = _elements(NumpyCodec.decode_output(output))
        if list(output.shape) != shape or found != elements:
            yield f"infer: {name} {output.datatype} of {output.shape} is {found[:8]}"


def _elements(array: np.ndarray) -> list[Any]:
    return [None if each != each else each for each in array.ravel().tolist()]


def main(path: str) -> dict[str, object]:
    """What the judge says of each line."""
    judged = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return {
        "judged": [each["kind"] for each in judged],
        "faults": [
            {"line": number, "fault": fault}
            for number, each in enumerate(judged)
            for fault in faults(each["kind"], each["body"], each.get("expected", {}))
        ],
    }


print(json.dumps(main(*sys.argv[1:])))
