"""The binary form of the predict route in its OpenAPI document, which Litestar cannot read off a handler's types."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from gateway.protocol.binary import LENGTH_HEADER

BINARY = "application/octet-stream"
ASKS = (
    "How many bytes of JSON the body begins with, for a body with binary tensors; the raw tensors stand behind it, "
    "without gaps and in the order of the inputs. An input among them has a `binary_data_size` and no `data`."
)
TELLS = "How many bytes of JSON the answer begins with; only where an output was asked for as binary data."
BODY = f"JSON as in `InferRequest`, as long as `{LENGTH_HEADER}` says, and raw tensors behind it, row-major."
ANSWER = (
    f"JSON as in `InferResponse`, as long as `{LENGTH_HEADER}` says, and raw outputs behind it; asked for by "
    "`binary_data_output` in the request's parameters, or `binary_data` in an output's."
)


@dataclass
class PredictOperation(Operation):
    """The predict route: beside JSON it takes and gives tensors as binary data."""

    def __post_init__(self) -> None:
        """Describe the header, the other body, and the other answer."""
        self.parameters = [*(self.parameters or ()), Parameter(
            name=LENGTH_HEADER, param_in="header", schema=_length(), required=False, description=ASKS,
        )]  # fmt: skip
        if isinstance(self.request_body, RequestBody):
            self.request_body.content[BINARY] = _binary(BODY)
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse):
            answer.content = {**(answer.content or {}), BINARY: _binary(ANSWER)}
            answer.headers = {
                **(answer.headers or {}),
                LENGTH_HEADER: OpenAPIHeader(schema=_length(), description=TELLS),
            }


def _length() -> Schema:
    return Schema(type=OpenAPIType.INTEGER, minimum=0)


def _binary(description: str) -> OpenAPIMediaType:
    return OpenAPIMediaType(
        schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, description=description)
    )
