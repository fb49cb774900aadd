"""How a gRPC message can be wrong beside what JSON can; each refusal names the tensor and what was expected."""

from gateway.protocol.errors import ProtocolError


class MalformedMessage(ProtocolError):
    """The request is not a valid {message} message."""

    code = "malformed-message"


class RawContentsCounted(ProtocolError):
    """raw_input_contents has {found} entries, but the request has {expected} inputs; it needs one for each."""

    code = "raw-contents-counted"


class RawAndContents(ProtocolError):
    """Input '{tensor}' has 'contents' beside raw_input_contents, which hold all inputs or none."""

    code = "raw-and-contents"


class ContentsMissing(ProtocolError):
    """Input '{tensor}' has neither 'contents' nor an entry in raw_input_contents."""

    code = "contents-missing"


class ContentsMisplaced(ProtocolError):
    """Input '{tensor}' is {datatype}, whose elements go in {expected}, not in {found}."""

    code = "contents-misplaced"


class OnlyRaw(ProtocolError):
    """Input '{tensor}' is {datatype}, which 'contents' has no field for; send it in raw_input_contents."""

    code = "only-raw"
