"""The committed code of the gRPC protocol is the compiler's, and the messages are those of stock clients."""

from tests.contracts import proto


def test_the_generated_code_is_in_step() -> None:
    """`make docs` or `python -m tests.contracts.proto --write` brings it in step."""
    assert {path: text == (proto.ROOT / path).read_text() for path, text in proto.made().items()} == dict.fromkeys(
        proto.MADE, True
    )
