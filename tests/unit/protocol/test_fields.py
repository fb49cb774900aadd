"""Large fields are taken out of a message and put behind one without changing what it says."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.fields import joined, split
from gateway.protocol.inference_pb2 import ModelInferRequest, ModelInferResponse

RAW_INPUT, RAW_OUTPUT = 7, 6


@given(st.lists(st.binary(max_size=400)), st.text(max_size=40), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4))
def test_what_is_taken_out_is_what_was_in(raw: list[bytes], text: str, shape: list[int]) -> None:
    """The raw tensors come out in order, and the rest parses to the same message without them."""
    message = ModelInferRequest(model_name=text, raw_input_contents=raw)
    message.inputs.add(name=text, datatype="FP32", shape=shape)
    rest, taken = split(message.SerializeToString(), RAW_INPUT)
    assert [bytes(each) for each in taken] == raw
    message.ClearField("raw_input_contents")
    assert ModelInferRequest.FromString(rest) == message


@given(st.lists(st.binary(max_size=400)))
def test_what_is_put_behind_a_message_is_in_it(raw: list[bytes]) -> None:
    """The parser finds the fields as if it had written them itself."""
    whole = joined(ModelInferResponse(id="r-1").SerializeToString(), RAW_OUTPUT, map(memoryview, raw))
    assert ModelInferResponse.FromString(whole) == ModelInferResponse(id="r-1", raw_output_contents=raw)


@given(st.binary(max_size=200))
def test_garbage_is_left_to_the_parser(garbage: bytes) -> None:
    """Nothing is raised and nothing is lost, whatever comes: what is no message is given back as it was."""
    rest, taken = split(garbage, RAW_INPUT)
    assert taken or rest == garbage


def test_fields_in_any_order_are_found() -> None:
    """A message may have its raw tensors in front, between and behind its other fields, which may be of any kind."""
    first = ModelInferRequest(raw_input_contents=[b"a"]).SerializeToString()
    second = ModelInferRequest(model_name="m").SerializeToString()
    unknown = b"\x98\x06\x96\x01" + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4)
    rest, taken = split(first + second + unknown + first, RAW_INPUT)
    assert [bytes(each) for each in taken] == [b"a", b"a"]
    assert rest == second + unknown
