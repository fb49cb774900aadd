"""Why a prediction of the traffic log cannot be told: the table of what an entry says of its own payload."""

from typing import Any

import msgspec
import pytest

from gateway.record.entries import Folded, InlineTensor, ItemFacts, ObjectRef
from gateway.times import SECOND_US
from review.logged import YOUNG_US, unkept
from tests.unit.record.samples import decided

NOW_US = 10**15
OLD = NOW_US - YOUNG_US
YOUNG = OLD + SECOND_US
OUTPUT = (ObjectRef(role="output", sha256="a" * 64, bytes=3, media_type="x"),)
OUTPUTS = (InlineTensor(name="label", datatype="BYTES", shape=(1,), data=b"\x01\x00\x00\x00a"),)
REST = Folded(sha256="b" * 64, bytes=3, items=1, held=0, audited=0)
NOTHING: dict[str, Any] = {"inputs": (), "outputs": (), "objects": (), "folded": None}


@pytest.mark.parametrize(
    ("at_us", "entry", "why"),
    [
        (OLD, NOTHING, "answered without capture"),
        (YOUNG, NOTHING, "answered without capture"),
        (OLD, NOTHING | {"objects": OUTPUT}, "erased"),
        (OLD, NOTHING | {"folded": REST}, "erased"),
        (YOUNG, NOTHING | {"objects": OUTPUT}, None),
        (YOUNG, NOTHING | {"folded": REST}, None),
        (OLD, NOTHING | {"outputs": OUTPUTS}, None),
        (OLD, NOTHING | {"items": (ItemFacts(score=None, held=True, rule="asked"),)}, None),
    ],
)
def test_why_nothing_can_be_told(at_us: int, entry: dict[str, Any], why: str | None) -> None:
    """What was never kept is gone at once, what was kept only once its payload had time to arrive; an entry with its
    tensors inside and one that was held are not gone."""
    found = unkept(msgspec.structs.replace(decided(at_us=at_us), **entry), NOW_US)
    assert (found.why if found is not None else None) == why
