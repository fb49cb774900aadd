"""The OpenAPI document of `/v2`, as far as the handlers' types do not say it."""

import pytest

from gateway.http.beside import protocol_document
from gateway.http.binary_form import BINARY
from gateway.protocol.binary import LENGTH_HEADER


@pytest.mark.parametrize("path", ["/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"])
def test_predicting_has_a_binary_form(path: str) -> None:
    """Header, body and answer are described beside the JSON ones, which stay; no other route has them."""
    operation = protocol_document("1")["paths"][path]["post"]
    header = next(each for each in operation["parameters"] if each["name"] == LENGTH_HEADER)
    assert (header["in"], header["required"], header["schema"]) == ("header", False, {"type": "integer", "minimum": 0})
    assert operation["requestBody"]["content"].keys() == {"application/json", BINARY}
    assert "raw tensors behind it" in operation["requestBody"]["content"][BINARY]["schema"]["description"]
    answers = operation["responses"]
    assert answers["200"]["content"].keys() == {"application/json", BINARY}
    assert answers["200"]["headers"].keys() == {LENGTH_HEADER}
    assert answers["202"]["content"].keys() == {"application/json"}


def test_no_other_route_has_one() -> None:
    """A held prediction's URL tells JSON, however its caller asked."""
    paths = protocol_document("1")["paths"]
    described = {path for path, item in paths.items() if BINARY in str(item)}
    assert described == {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"}
