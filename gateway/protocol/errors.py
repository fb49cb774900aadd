"""How a request or an answer can break the protocol; each refusal names the tensor and what was expected."""

from gateway.errors import BadRequest, GatewayError

_SHOWN_MAX = 120


class ProtocolError(BadRequest):
    """The request breaks the Open Inference Protocol."""

    code = "protocol-error"

    def __init__(self, **fields: object) -> None:
        super().__init__(**{name: _shown(value) for name, value in fields.items()})


def _shown(value: object) -> object:
    """The value, cut so that a caller's own text cannot make a message endless."""
    return f"{value[:_SHOWN_MAX]}…" if isinstance(value, str) and len(value) > _SHOWN_MAX else value


class BodyTooLarge(ProtocolError):
    """The body has {found} bytes; at most {limit} are taken."""

    code = "body-too-large"


class MalformedJson(ProtocolError):
    """The body is not valid JSON."""

    code = "malformed-json"


class NotANumberInJson(ProtocolError):
    """JSON has no NaN or Infinity, but the body has one at byte {byte}; send a number."""

    code = "nan-in-json"


class TooDeep(ProtocolError):
    """The JSON of the body is nested too deeply."""

    code = "json-too-deep"


class FieldMissing(ProtocolError):
    """The field '{field}' is missing in {place}."""

    code = "field-missing"


class FieldMistyped(ProtocolError):
    """{place} must be of type {expected}, not {found}."""

    code = "field-mistyped"


class FieldOutOfRange(ProtocolError):
    """{place} holds a value outside the allowed range."""

    code = "field-out-of-range"


class UnknownInput(ProtocolError):
    """The model has no input '{tensor}'; it takes {expected}."""

    code = "unknown-input"


class MissingInput(ProtocolError):
    """Input '{tensor}' is missing: {datatype} of shape {shape} was expected."""

    code = "missing-input"


class DuplicateInput(ProtocolError):
    """Input '{tensor}' is given twice."""

    code = "duplicate-input"


class UnknownOutput(ProtocolError):
    """The model has no output '{tensor}'; it gives {expected}."""

    code = "unknown-output"


class DuplicateOutput(ProtocolError):
    """Output '{tensor}' is asked for twice."""

    code = "duplicate-output"


class UnknownDatatype(ProtocolError):
    """Input '{tensor}' has the unknown datatype '{found}'; the datatypes are {expected}."""

    code = "unknown-datatype"


class WrongDatatype(ProtocolError):
    """Input '{tensor}' must be {expected}, not {found}."""

    code = "wrong-datatype"


class WrongRank(ProtocolError):
    """Input '{tensor}' must have {expected} dimensions (shape {shape}), not {found}."""

    code = "wrong-rank"


class WrongDimension(ProtocolError):
    """Dimension {axis} of input '{tensor}' must be {expected}, not {found}."""

    code = "wrong-dimension"


class NegativeDimension(ProtocolError):
    """Dimension {axis} of input '{tensor}' is {found}; a request states real sizes."""

    code = "negative-dimension"


class ShapeOverflow(ProtocolError):
    """The shape of input '{tensor}' describes more elements than can be counted in 63 bits."""

    code = "shape-overflow"


class TooManyElements(ProtocolError):
    """Input '{tensor}' has {found} elements; at most {limit} are taken."""

    code = "too-many-elements"


class TooManyItems(ProtocolError):
    """Input '{tensor}' has {found} items, and at most {limit} are taken at once; send them in several requests."""

    code = "too-many-items"


class DataMissing(ProtocolError):
    """Input '{tensor}' has no 'data'."""

    code = "data-missing"


class DataNotArray(ProtocolError):
    """The 'data' of input '{tensor}' must be an array."""

    code = "data-not-array"


class ParameterNotServed(ProtocolError):
    """'{parameter}' of {place} is not served here; tensors go in the request and in its answer, as they are."""

    status = 501
    code = "parameter-not-served"


class WrongElementCount(ProtocolError):
    """Input '{tensor}' has {found} elements, but its shape asks for {expected}."""

    code = "wrong-element-count"


class UnevenNesting(ProtocolError):
    """The nested data of input '{tensor}' does not follow its shape: at level {level}, {expected} were expected."""

    code = "uneven-nesting"


class NullElement(ProtocolError):
    """Element {index} of input '{tensor}' is null; {datatype} was expected."""

    code = "null-element"


class FloatForInteger(ProtocolError):
    """Element {index} of input '{tensor}' has a fraction or exponent; {datatype} takes whole numbers."""

    code = "float-for-integer"


class WrongElement(ProtocolError):
    """Element {index} of input '{tensor}' is {found}; {datatype} takes {expected}."""

    code = "wrong-element"


class NumberOutOfRange(ProtocolError):
    """Input '{tensor}' holds a number that does not fit {datatype}."""

    code = "number-out-of-range"


class BatchSizesDisagree(ProtocolError):
    """Input '{tensor}' has {found} items along axis {axis}, but '{other}' has {expected}."""

    code = "batch-sizes-disagree"


class OutputNotFinite(GatewayError):
    """Output '{output}' holds NaN or infinity, which JSON cannot carry."""

    status = 422
    code = "output-not-finite"
