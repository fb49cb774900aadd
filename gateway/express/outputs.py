"""The outputs of one run, by request: as the JSON of a reply, and as an entry keeps them. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from gateway.capture import INLINE_MAX_BYTES
from gateway.express.hashing import hex_digest
from gateway.express.judging import Rows
from gateway.express.moulds import output_head
from gateway.express.reading import PlainInput, digest_head
from gateway.protocol.binary import to_bytes
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.encode import MUCH

_HEADS_MAX: Final = 1024
_JSON: Final = msgspec.json.Encoder()
Heads = dict[tuple[str, str, tuple[int, ...]], tuple[bytes, bytes]]
"""What stands before the elements of an output, in a reply and in a digest, by name, datatype and shape."""
Kept = tuple[str, tuple[PlainInput, ...]]
"""A digest, and the tensors as an entry keeps them; none where they are too large for one."""


NO_ROWS: Final[Rows] = {}
"""What is enough where nobody asks for JSON."""


class Output:
    """One output of a run."""

    __slots__ = ("array", "data", "datatype", "name", "numbers", "row_bytes", "rows", "tail")

    def __init__(self, name: str, array: Tensor, rows: list[list[Any]]) -> None:
        self.name = name
        self.datatype = datatype_of(array)
        self.array = array
        self.rows = rows
        self.tail = array.shape[1:]
        self.numbers = self.datatype != "BYTES"
        self.data = array.tobytes() if self.numbers else b""  # little-endian: elsewhere nothing is plain
        self.row_bytes = len(self.data) // max(1, len(array))

    def bytes_of(self, start: int, stop: int) -> bytes:
        """The bytes of some rows, as the binary extension has them."""
        if self.numbers:
            return self.data[start * self.row_bytes : stop * self.row_bytes]
        return to_bytes(self.array[start:stop]).tobytes()

    def flat(self, start: int, stop: int) -> list[Any]:
        """The elements of some rows."""
        rows = self.rows
        flat = rows[start] if stop - start == 1 else [each for row in rows[start:stop] for each in row]
        if self.numbers:
            return flat
        return [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in flat]

    def json(self, start: int, stop: int) -> bytes:
        """The elements of some rows as JSON, as `gateway.protocol.encode` writes them."""
        flat = self.flat(start, stop)
        if self.numbers and len(flat) >= MUCH:
            return orjson.dumps(self.array[start:stop].reshape(-1), option=orjson.OPT_SERIALIZE_NUMPY)
        return _JSON.encode(flat)


class Outputs:
    """The outputs of one run, whose elements are `rows` as well: the JSON is made of those."""

    def __init__(self, outputs: Mapping[str, Tensor], heads: Heads, rows: Rows = NO_ROWS) -> None:
        self._outputs = [Output(name, array, rows.get(name, [])) for name, array in outputs.items()]
        self._heads = heads

    def of(self, start: int, stop: int) -> tuple[bytes, str, tuple[PlainInput, ...]] | None:
        """The JSON of some rows, their digest and the tensors as kept; None where those are too large for an entry."""
        if len(self._outputs) == 1:
            return self._of_one(self._outputs[0], start, stop)
        digest, kept = self.kept(start, stop)
        if not kept:
            return None
        texts = []
        for output in self._outputs:
            told, _ = self._head(output.name, output.datatype, (stop - start, *output.tail))
            texts.append(told + output.json(start, stop) + b"}")
        return b",".join(texts), digest, kept

    def _of_one(self, output: Output, start: int, stop: int) -> tuple[bytes, str, tuple[PlainInput, ...]] | None:
        """The same of most models, which have a single output."""
        shape, data = (stop - start, *output.tail), output.bytes_of(start, stop)
        if len(data) > INLINE_MAX_BYTES:
            return None
        told, digested = self._head(output.name, output.datatype, shape)
        kept = PlainInput(output.name, output.datatype, shape, data)
        return told + output.json(start, stop) + b"}", hex_digest(digested + data), (kept,)

    def kept(self, start: int, stop: int) -> Kept:
        """The digest of some rows, and the tensors."""
        digested, kept, size = [], [], 0
        for output in self._outputs:
            shape = (stop - start, *output.tail)
            data = output.bytes_of(start, stop)
            size += len(data)
            digested.append(self._head(output.name, output.datatype, shape)[1] + data)
            kept.append(PlainInput(output.name, output.datatype, shape, data))
        if len(kept) == 1:
            digest = hex_digest(digested[0])
        else:
            by_name = sorted(range(len(kept)), key=lambda at: kept[at].name)
            digest = hex_digest(b"".join([digested[at] for at in by_name]))
        return digest, tuple(kept) if size <= INLINE_MAX_BYTES else ()

    def rows(self, start: int, stop: int) -> dict[str, Tensor]:
        """The outputs of some rows, as the model gave them."""
        return {output.name: output.array[start:stop] for output in self._outputs}

    def _head(self, name: str, datatype: str, shape: tuple[int, ...]) -> tuple[bytes, bytes]:
        """What stands before the elements, in a reply and in a digest."""
        key = (name, datatype, shape)
        found = self._heads.get(key)
        if found is None:
            if len(self._heads) >= _HEADS_MAX:
                self._heads.clear()
            found = self._heads[key] = output_head(name, shape, datatype), digest_head(name, datatype, shape)
        return found
