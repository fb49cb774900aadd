"""How the binary part of a request can be wrong; each refusal names the tensor and what was expected."""

from gateway.protocol.errors import ProtocolError


class LengthHeaderTwice(ProtocolError):
    """The header Inference-Header-Content-Length is given {found} times; once was expected."""

    code = "length-header-twice"


class LengthHeaderMalformed(ProtocolError):
    """Inference-Header-Content-Length must be a number of bytes, not '{found}'."""

    code = "length-header-malformed"


class LengthHeaderNegative(ProtocolError):
    """Inference-Header-Content-Length is {found}; no JSON has a negative length."""

    code = "length-header-negative"


class JsonBeyondBody(ProtocolError):
    """Inference-Header-Content-Length says that the JSON has {found} bytes, but the whole body has {size}."""

    code = "json-beyond-body"


class BinaryWithoutLength(ProtocolError):
    """Input '{tensor}' has 'binary_data_size', but no Inference-Header-Content-Length says where the JSON ends."""

    code = "binary-without-length"


class BinaryAndData(ProtocolError):
    """Input '{tensor}' has both 'data' and 'binary_data_size'; one of them was expected."""

    code = "binary-and-data"


class BinarySizeMistyped(ProtocolError):
    """The 'binary_data_size' of input '{tensor}' must be a whole number, not {found}."""

    code = "binary-size-mistyped"


class BinarySizeNegative(ProtocolError):
    """The 'binary_data_size' of input '{tensor}' is {found}; no tensor has a negative size."""

    code = "binary-size-negative"


class BinaryBeyondBody(ProtocolError):
    """Input '{tensor}' takes {found} bytes of binary data, but only {left} are left of the body."""

    code = "binary-beyond-body"


class BinaryLeftOver(ProtocolError):
    """The body goes on for {found} bytes behind {tensor}; its end was expected there."""

    code = "binary-left-over"


class BinarySizeWrong(ProtocolError):
    """Input '{tensor}' has {found} bytes of binary data; {datatype} of shape {shape} takes {expected}."""

    code = "binary-size-wrong"


class TextsCutShort(ProtocolError):
    """The binary data of input '{tensor}' ends before element {index}; {expected} elements were expected."""

    code = "texts-cut-short"


class TextBeyondEnd(ProtocolError):
    """Element {index} of input '{tensor}' takes {found} bytes, but only {left} are left of its binary data."""

    code = "text-beyond-end"


class TextsLeftOver(ProtocolError):
    """The binary data of input '{tensor}' goes on for {found} bytes behind its {expected} elements."""

    code = "texts-left-over"


class TextNotUtf8(ProtocolError):
    """Element {index} of input '{tensor}' is not UTF-8; BYTES carries text."""

    code = "text-not-utf8"


class ByteNotBoolean(ProtocolError):
    """Element {index} of input '{tensor}' is the byte {found}; BOOL takes 0 and 1."""

    code = "byte-not-boolean"
