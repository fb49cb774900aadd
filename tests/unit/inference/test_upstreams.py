"""Addresses of upstreams, who may be called, and which signature is the one that callers know."""

from types import SimpleNamespace

import pytest

from gateway.inference.told_signature import as_first_told, told_signature
from gateway.inference.upstream_errors import UpstreamAddressWrong, UpstreamNotAllowed, UpstreamSignatureWrong
from gateway.inference.upstreams import AllowedUpstreams, allowed_keys, upstream_at
from gateway.protocol.signature import Signature, TensorSpec


@pytest.mark.parametrize(
    ("address", "origin", "model", "version"),
    [
        ("grpc://triton:8001", "grpc://triton:8001", "ours", None),
        ("grpc://triton:8001/theirs", "grpc://triton:8001", "theirs", None),
        ("https://a.b-c.example:443/m_1.x/versions/3", "https://a.b-c.example:443", "m_1.x", "3"),
        ("http://[::1]:8000/m/", "http://[::1]:8000", "m", None),
        ("grpcs://HOST.Example:1/M", "grpcs://host.example:1", "M", None),
    ],
)
def test_an_address_names_a_model(address: str, origin: str, model: str, version: str | None) -> None:
    """Scheme, host and port, and behind them the model and its version."""
    found = upstream_at(address, "ours")
    assert (found.origin, found.model, found.version) == (origin, model, version)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "triton:8001/m",
        "grpc://triton/m",
        "ftp://triton:21/m",
        "file:///etc/passwd",
        "http://user:word@triton:80/m",
        "http://triton:80@other:1/m",
        "http://triton:80/../m",
        "http://triton:80/m?x=1",
        "http://triton:80/m#x",
        "http://triton:80/m/versions/1/infer",
        "http://triton:80/m\nHost: other",
        "http://tri ton:80/m",
        f"http://triton:80/{'m' * 200}",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """Nothing that could lead a call elsewhere is taken for an address."""
    with pytest.raises(UpstreamAddressWrong):
        upstream_at(address, "ours")


def test_only_named_servers_are_called() -> None:
    """Each may have a key; another port or scheme of the same host is another server."""
    allowed = AllowedUpstreams(keys=allowed_keys("grpc://triton:8001, http://:lg_secret@Other:8000/ "))
    assert allowed.key_of("grpc://triton:8001") == ""
    assert allowed.key_of("http://other:8000") == "lg_secret"
    for origin in ("grpc://triton:8002", "http://triton:8001", "grpc://triton.example:8001"):
        with pytest.raises(UpstreamNotAllowed):
            allowed.key_of(origin)


def test_a_wrong_setting_shows_no_key() -> None:
    """What is told of it is the part behind the key."""
    with pytest.raises(UpstreamAddressWrong) as caught:
        allowed_keys("http://:lg_secret@other")
    assert "lg_secret" not in str(caught.value)


def spec(name: str, *shape: int, datatype: str = "FP32") -> SimpleNamespace:
    """A tensor as metadata tell it."""
    return SimpleNamespace(name=name, datatype=datatype, shape=list(shape))


def signature(*inputs: SimpleNamespace, outputs: tuple[SimpleNamespace, ...] = (spec("y", -1),)) -> Signature:
    """A signature as metadata tell it."""
    return told_signature("p", list(inputs), list(outputs))


def test_metadata_become_a_signature() -> None:
    """Any negative size is a free one, and the output that answers use themselves is not the model's."""
    told = signature(spec("x", -7, 4), outputs=(spec("review_status", -1, datatype="BYTES"), spec("y", -1)))
    assert told.inputs == (TensorSpec(name="x", datatype="FP32", shape=(-1, 4)),)
    assert [each.name for each in told.outputs] == ["y"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "fault"),
    [
        ([], [spec("y")], "names no inputs"),
        ([spec("x")], [], "names no outputs"),
        ([spec("x", datatype="BF16")], [spec("y")], "BF16"),
        ([spec("x"), spec("x")], [spec("y")], "twice"),
        ([spec("x", *[1] * 33)], [spec("y")], "no shape"),
        ([spec("x")], [spec("review_status")], "only output"),
    ],
)
def test_metadata_that_cannot_be_served_are_refused(
    inputs: list[SimpleNamespace], outputs: list[SimpleNamespace], fault: str
) -> None:
    """The fault is named, in our words."""
    with pytest.raises(UpstreamSignatureWrong, match=fault):
        told_signature("p", inputs, outputs)


FIRST = signature(spec("a", -1, 4), spec("b", -1))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (signature(spec("b", -1), spec("a", -1, 4)), True),
        (signature(spec("a", -1, -1), spec("b", 1)), True),
        (signature(spec("a", -1, 5), spec("b", -1)), False),
        (signature(spec("a", 4), spec("b", -1)), False),
        (signature(spec("a", -1, 4)), False),
        (signature(spec("a", -1, 4, datatype="FP64"), spec("b", -1)), False),
        (signature(spec("a", -1, 4), spec("b", -1), outputs=(spec("z", -1),)), False),
    ],
    ids=[
        "another order",
        "open sizes",
        "another size",
        "another rank",
        "one is missing",
        "another type",
        "another output",
    ],
)
def test_callers_keep_the_signature_that_they_know(told: Signature, kept: bool) -> None:
    """Order and open sizes are no difference; everything else is told as it is, and refused later by name."""
    assert as_first_told(FIRST, told).inputs == (FIRST if kept else told).inputs
