"""The request that belongs to a seed and a number: a good one, spoilt somewhere between structure and bytes, or not."""

import json
from random import Random
from typing import Any

import numpy as np

from gateway.protocol.datatypes import NUMPY
from gateway.protocol.inference_pb2 import ModelInferRequest
from tests.acceptance.rpc import FIELDS
from tests.fuzz import wild
from tests.fuzz.models import MODELS, Echo
from tests.fuzz.target import KEY, Headers, Sent
from tests.unit.protocol.messages import Array, behind, in_json, raw_of

AUTHORIZED = (b"authorization", b"Bearer " + KEY.encode())
LENGTH = b"inference-header-content-length"


def make(seed: int, number: int) -> Sent:
    """The request; always the same."""
    random = Random(f"{seed}/{number}")
    model = random.choice(MODELS)
    form = random.random()
    if form < 0.15:
        return _spoken(random, model)
    if form < 0.20:
        return _http(random, model, random.randbytes(random.choice((0, 1, 20, 300))), None)
    text, tail = _body(random, model, apart=form < 0.55)
    length = None if tail is None else len(text)
    return _http(random, model, text + (tail or b""), length)


def _body(random: Random, model: Echo, *, apart: bool) -> tuple[bytes, bytes | None]:
    """The JSON of a request, and the raw tensors behind it where some are apart."""
    arrays = _arrays(random, model)
    raw = {name for name in arrays if apart and random.random() < 0.8}
    inputs = [behind(name, array) if name in raw else in_json(name, array) for name, array in arrays.items()]
    message: dict[str, Any] = {"inputs": [each | {"shape": list(each["shape"])} for each in inputs]}
    if random.random() < 0.3:
        some = random.choice((*wild.NUMBERS, *wild.TEXTS, True)) if random.random() < 0.7 else wild.anything(random)
        message["parameters"] = {random.choice(wild.WORDS): some}
    if random.random() < 0.2:
        message["outputs"] = [
            {"name": random.choice((*(f"y_{name}" for name in arrays), "score", "review_status", "z"))}
        ]
    if random.random() < 0.2:
        message["parameters"] = {"binary_data_output": True}
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 5))):
        wild.spoil_value(random, message)
    text = _written(random, message)
    if random.random() < 0.02:
        text = text.replace(b",", b"," + b" " * 40_000, 1)  # from here on the fast reading is asked first
    while random.random() < 0.2:
        text = wild.spoil_text(random, text)
    tail = b"".join(raw_of(array) for name, array in arrays.items() if name in raw)
    while raw and random.random() < 0.15:
        tail = wild.spoil_bytes(random, tail)
    return text, tail if apart else None


def _written(random: Random, message: Any) -> bytes:
    """The message as one of the writers of JSON writes it."""
    try:
        if random.random() < 0.3:
            return json.dumps(message, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        return wild.json_of(message)
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(message).encode()


def _arrays(random: Random, model: Echo) -> dict[str, Array]:
    """Tensors that the model takes."""
    items = random.choice((0, 1, 1, 2, 3, 7))
    sizes = {name: tuple(_size(random, size, axis, items) for axis, size in enumerate(shape))
             for name, (_, shape) in model.inputs.items()}  # fmt: skip
    arrays = {name: _array(random, model.inputs[name][0], shape) for name, shape in sizes.items()}
    if model.display and random.random() < 0.3:
        arrays["photo"] = _array(random, random.choice(tuple(NUMPY)), (items,))
    return arrays


def _size(random: Random, size: int, axis: int, items: int) -> int:
    if size >= 0:
        return size
    return items if axis == 0 else random.choice((0, 1, 2, 3, 3, 17))


def _array(random: Random, datatype: str, shape: tuple[int, ...]) -> Array:
    """Elements over all of the datatype's range, some of them special."""
    dtype, count = NUMPY[datatype], int(np.prod(shape, dtype=np.int64))
    if datatype == "BYTES":
        texts = [random.choice(wild.TEXTS).replace("\ud800", "") for _ in range(count)]
        return np.array(texts, np.object_).reshape(shape)
    if datatype == "BOOL":
        return np.array([random.random() < 0.5 for _ in range(count)], np.bool_).reshape(shape)
    if dtype.kind == "f" and random.random() < 0.8:
        return np.array([random.gauss(0, 10) for _ in range(count)], dtype).reshape(shape)
    return np.frombuffer(random.randbytes(count * dtype.itemsize), dtype).reshape(shape)


def _http(random: Random, model: Echo, body: bytes, length: int | None) -> Sent:
    """Over HTTP: packed or not, with its headers spoilt or not, whole or not, in one part or in several."""
    headers: Headers = [AUTHORIZED]
    if random.random() < 0.2:
        body, coding = wild.compressed(random, body)
        headers.append((b"content-encoding", coding.encode("utf-8")))
    while random.random() < 0.1:
        body = wild.spoil_bytes(random, body)
    if length is not None:
        headers += [(LENGTH, value) for value in _lengths(random, length)]
    headers += [(b"content-length", value) for value in _lengths(random, len(body), right=0.9)]
    if random.random() < 0.1:
        headers.append((b"accept-encoding", random.choice(wild.CODINGS).encode()))
    if random.random() < 0.1:
        headers.append((b"prefer", random.choice(wild.WISHES).encode()))
    if random.random() < 0.1:
        context = random.choice(
            (b"user_id=u-1", b"user_id=%", b"=&=", b"a" * 5000, b"%ff=%00", b"user_id=\xff&&&", b"")
        )
        headers.append((b"lockgate-context", context))
    random.shuffle(headers)
    name = model.name if random.random() < 0.99 else random.choice(MODELS).name
    return Sent(over="http", model=name, headers=headers, parts=_parts(random, body), whole=random.random() < 0.97)


def _lengths(random: Random, right_one: int, right: float = 0.8) -> list[bytes]:
    """The values of a header with a length: the right one, or none, several or wrong ones."""
    if random.random() < right:
        return [str(right_one).encode()]
    act = random.randrange(4)
    if act == 0:
        return []
    if act == 1:
        return [str(right_one).encode(), random.choice((str(right_one), *wild.LENGTHS)).encode()]
    if act == 2:
        return [str(right_one + random.choice((-100, -5, -1, 1, 2, 7, 10**6, 10**12))).encode()]
    return [random.choice(wild.LENGTHS).encode()]


def _parts(random: Random, body: bytes) -> list[bytes]:
    cuts = sorted(random.randrange(len(body) + 1) for _ in range(random.choice((0, 0, 0, 1, 3))))
    return [body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


def _spoken(random: Random, model: Echo) -> Sent:
    """Over gRPC: raw or typed, its fields and then its bytes spoilt or not."""
    arrays, message = _arrays(random, model), ModelInferRequest(model_name=model.name)
    raw = random.random() < 0.5
    for name, array in arrays.items():
        described = behind(name, array)
        tensor = message.inputs.add(name=name, datatype=described["datatype"], shape=described["shape"])
        if raw or described["datatype"] == "FP16":
            message.raw_input_contents.append(raw_of(array))
        else:
            values = [each.encode() for each in array.ravel()] if array.dtype == object else array.ravel().tolist()
            getattr(tensor.contents, FIELDS[described["datatype"]]).extend(values)
    while random.random() < 0.3:
        _spoil_message(random, message)
    data = message.SerializeToString()
    while random.random() < 0.25:
        data = wild.spoil_bytes(random, data)
    return Sent(over="grpc", model=model.name, headers=[AUTHORIZED], parts=[data])


def _spoil_message(random: Random, message: Any) -> None:
    act = random.randrange(7)
    tensor = random.choice(message.inputs) if message.inputs else message.inputs.add()
    if act == 0:
        del tensor.shape[:]
        tensor.shape.extend(random.choice((-1, 0, 1, 3, 2**31, 2**40, 2**62)) for _ in range(random.randrange(5)))
    elif act == 1:
        tensor.datatype = random.choice((*NUMPY, "BF16", "", "fp32"))
    elif act == 2:
        message.inputs.append(tensor)
    elif act == 3:
        message.raw_input_contents.append(random.randbytes(random.choice((0, 1, 4, 16))))
    elif act == 4 and message.raw_input_contents:
        del message.raw_input_contents[0]
    elif act == 5:
        tensor.contents.bytes_contents.append(random.randbytes(4))
    else:
        tensor.parameters[random.choice(wild.WORDS)].string_param = random.choice(wild.WORDS)
