"""Hostile requests made from a seed: a slice of what `make fuzz` sends, and what the judge makes of answers."""

import json

import pytest

from tests.fuzz import corpus, inputs
from tests.fuzz.__main__ import Run
from tests.fuzz.judge import disagreement, fault
from tests.fuzz.models import MODELS
from tests.fuzz.target import Answer
from tests.fuzz.work import ROOM_BYTES
from tests.unit.protocol.test_bulk import decoder

SLICE = 2000
JSON = "application/json"


async def test_a_slice_of_hostile_requests_finds_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever comes ends as a prediction or in words: no 500, no hang, and no more memory than the bound."""
    run = Run(seed=1)
    await run.between(0, SLICE, kept=True)
    run.report(SLICE)
    assert run.faults == 0, capsys.readouterr().out
    assert sum(run.outcomes.values()) == SLICE + len(list(corpus.kept()))
    assert run.grown_bytes < ROOM_BYTES


def test_the_slice_reaches_what_it_is_meant_to(subtests: pytest.Subtests) -> None:
    """Every model is asked over both protocols, by bodies that are packed, cut, in pieces and behind their JSON."""
    sent = [inputs.make(1, number) for number in range(SLICE)]
    assert sent[:50] == [inputs.make(1, number) for number in range(50)]
    for model in MODELS:
        with subtests.test(model.name):
            assert {each.over for each in sent if each.model == model.name} == {"http", "grpc"}
    headers = {name for each in sent for name, _ in each.headers}
    assert {b"content-encoding", b"inference-header-content-length", b"prefer", b"lockgate-context"} <= headers
    assert {each.whole for each in sent} == {True, False}
    assert {len(each.parts) for each in sent} == {1, 2, 4}


def told(status: int | str, code: str, kind: str = JSON) -> Answer:
    """A refusal."""
    body = json.dumps({"error": "Something.", "type": f"/docs/errors#{code}"}).encode()
    return Answer(status, body, code if isinstance(status, str) else kind)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Answer(200, b"", JSON), False),
        (told(400, "malformed-json"), False),
        (told(503, "queue-full"), False),
        (told(501, "parameter-not-served"), False),
        (told(500, "internal"), True),
        (told(500, "model-failed"), True),
        (told(503, "ledger-unavailable"), True),
        (told(400, "malformed-json", "text/plain"), True),
        (Answer(400, b"no", JSON), True),
        (Answer("OK", b"", ""), False),
        (told("INVALID_ARGUMENT", "malformed-message"), False),
        (told("UNIMPLEMENTED", "parameter-not-served"), False),
        (told("INTERNAL", "internal"), True),
        (told("UNAVAILABLE", "ledger-unavailable"), True),
    ],
)
def test_what_is_a_fault(answer: Answer, wrong: bool) -> None:
    """A prediction, a refusal of the catalogue and what would have been held are none; anything else is."""
    assert bool(fault(answer)) is wrong


def test_readings_that_differ_are_noticed() -> None:
    """A body that two decoders would read differently is no agreement."""
    body = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}'
    assert disagreement(decoder(), body) == ""
    assert disagreement(decoder(), b"[]") == ""
