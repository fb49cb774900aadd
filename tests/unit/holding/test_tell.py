"""Bodies and headers that stock clients survive."""

import json

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.holding.payload import InputPayload, decode_answered, decode_input, encode
from gateway.holding.seen import OutcomeSeen
from gateway.holding.tell import STATUSES, plain_reply, tell_fallback, tell_gone, tell_held, tell_truth, weakest
from gateway.holding.truth import Truth
from gateway.policy import Policy
from tests.unit.holding.test_correct import BY_LABEL, LABEL, PROBABILITIES, said

SAID = replace(said(BY_LABEL, {"label": LABEL, "p": PROBABILITIES}), held={1: "below_threshold", 2: "automated_off"})


def settled(*items: int, answer: str = "eel", differs: bool | None = True) -> Truth:
    outcomes = {
        item: OutcomeSeen(
            item=item, revision=1, case_id=None, round=1, status="answered", answer=answer, differs=differs,
            release_after_us=0, never_released=False,
        )
        for item in items
    }  # fmt: skip
    return Truth(kind="settled", outcomes=outcomes)


def body(reply: object) -> dict:  # type: ignore[type-arg]
    return json.loads(reply.body)  # type: ignore[attr-defined,no-any-return]


def test_only_the_outputs_that_were_asked_for_leave() -> None:
    """In the caller's order, with the review status of each item as BYTES when asked for."""
    asked = replace(SAID, requested=("review_status", "label"))
    outputs = body(tell_truth(asked, settled(1, 2)).reply)["outputs"]
    assert outputs == [
        {
            "name": "review_status",
            "shape": [3],
            "datatype": "BYTES",
            "data": ["corrected", "corrected", "automated"],
        },
        {"name": "label", "shape": [3], "datatype": "BYTES", "data": ["eel", "eel", "eel"]},
    ]


def test_an_error_has_the_plain_media_type() -> None:
    """`application/json` exactly, the text under `error`, RFC 9457's fields beside it."""
    reply = tell_fallback(SAID, "refusal", public_url="https://x.example").reply
    assert reply.header("content-type") == "application/json"
    problem = body(reply)
    assert problem["error"] == problem["detail"]
    assert f"https://x.example/v2/predictions/{SAID.prediction_id}" in problem["error"]
    assert (problem["status"], problem["instance"]) == (503, f"/v2/predictions/{SAID.prediction_id}")
    assert problem["type"].endswith("held-too-long")


def test_410_says_why() -> None:
    """Each reason is in the text."""
    told = tell_gone(SAID.prediction_id, "erased")
    assert (told.reply.status, "erased" in body(told.reply)["error"]) == (410, True)


def test_a_fallback_keeps_what_people_settled_already() -> None:
    """With one of two held items settled, the fallback fills only the other one."""
    safe = replace(SAID, policy=Policy(fallback="safe_value", safe_value="dog"))
    told = tell_fallback(safe, "fallback", settled(1))
    answer = body(told.reply)
    assert answer["outputs"][0]["data"] == ["eel", "dog", "eel"]
    assert answer["parameters"]["review_status"] == "fallback"
    assert (told.kind, told.outcome_revision) == ("fallback", 1)


def test_a_safe_value_that_cannot_be_told_is_a_refusal() -> None:
    """A class that the outputs cannot carry becomes a 503 as the default."""
    numbers = replace(
        SAID, outputs={"label": np.array([0, 1, 2])}, policy=Policy(fallback="safe_value", safe_value="fox")
    )
    assert tell_fallback(numbers, "fallback").reply.status == 503


def test_nobody_could_tell() -> None:
    """A lead who cannot tell either is 422, whatever the fallback."""
    told = tell_fallback(SAID, "fallback", Truth(kind="given_up", cannot_tell=True))
    assert (told.reply.status, body(told.reply)["type"].rpartition("#")[2]) == (422, "unanswerable")


def test_what_was_refused_is_not_told_later() -> None:
    """A prediction that nobody was asked about and that was refused stays refused on its URL."""
    refused = replace(SAID, held={}, status="refused")
    assert tell_truth(refused, Truth(kind="automated")).reply.status == 503


def test_a_precedent_is_told_instead() -> None:
    """An automated prediction that a precedent answered is told with that answer."""
    known = replace(SAID, held={}, status="precedent", instead={1: "dog", 2: "dog", 3: "dog"})
    answer = body(plain_reply(known))
    assert answer["outputs"][0]["data"] == ["dog"] * 3
    assert answer["parameters"]["review_status"] == "precedent"


def test_a_202_names_what_was_told_meanwhile() -> None:
    """After a provisional answer the body says so."""
    answer = body(tell_held(SAID, delivered="provisional").reply)
    assert answer["parameters"]["delivered"] == "provisional"
    assert answer["id"] == str(SAID.prediction_id)


@pytest.mark.parametrize(("differs", "status"), [(True, "corrected"), (False, "approved"), (None, "corrected")])
def test_whether_it_was_a_correction(differs: bool | None, status: str) -> None:
    """An outcome that does not say whether it differs is compared by the label schema."""
    one = replace(SAID, held={1: "below_threshold"})
    assert body(tell_truth(one, settled(1, differs=differs)).reply)["parameters"]["review_status"] == status


def test_an_approved_row_with_nan_leaves_without_it() -> None:
    """People may approve an answer whose probabilities are not finite; JSON cannot carry those."""
    nan = replace(SAID, outputs={"label": LABEL, "p": np.full((3, 3), np.nan, dtype=np.float32)})
    everything = settled(1, 2, 3, answer="cat", differs=False)
    outputs = body(tell_truth(nan, everything).reply)["outputs"]
    assert outputs[1]["data"] == [1, 0, 0] * 3


def test_the_weakest_status_counts() -> None:
    """In the order of WIRE.md."""
    assert weakest(["automated", "corrected", "approved"]) == "corrected"
    assert [weakest([one, STATUSES[0]]) for one in STATUSES] == list(STATUSES)


def test_what_was_said_survives_its_object() -> None:
    """An answer read back from its payload object is told byte for byte the same; so is what came in."""
    again = decode_answered(encode(SAID))
    assert tell_truth(again, settled(1)).reply == tell_truth(SAID, settled(1)).reply
    came_in = InputPayload(inputs={"x": PROBABILITIES}, beside={"display": LABEL})
    back = decode_input(encode(came_in))
    assert np.array_equal(back.inputs["x"], PROBABILITIES)
    assert back.beside["display"].tolist() == LABEL.tolist()
