"""What is recorded of a posted judgement, and what is refused."""

from typing import Any

import msgspec
import pytest

from gateway.errors import BadRequest
from gateway.labels import Answer
from gateway.policy import Policy
from review.desk.revised import TellingOf, revises, told_about
from review.desk.ruling import Judgement, Ruling, rule_on
from review.errors import ReviewError, VerdictRefused
from tests.worlds import SENTIMENT


def ruled(
    *, model_answer: Answer | None = "negative", blind: bool = False, rationale: Any = "never", **said: Any
) -> Ruling:
    """The ruling on a judgement."""
    judgement = Judgement(post_key="k", **said)
    return rule_on(judgement, model_answer=model_answer, blind=blind, schema=SENTIMENT, rationale=rationale)


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ({"kind": "approve"}, ("approve", "negative", "agrees")),
        ({"kind": "correct", "answer": "positive"}, ("correct", "positive", "wrong_answer")),
        ({"kind": "correct", "answer": "negative"}, ("approve", "negative", "agrees")),
        ({"kind": "correct", "answer": "negative", "blind": True}, ("approve", "negative", "judged_blind")),
        ({"kind": "correct", "answer": "positive", "reason_code": "irony"}, ("correct", "positive", "irony")),
        ({"kind": "unanswerable", "answer": "positive"}, ("unanswerable", None, "input_unreadable")),
        ({"kind": "cannot_tell"}, ("cannot_tell", None, "input_ambiguous")),
        ({"kind": "escalate"}, ("escalate", None, "sensitive")),
    ],
)
def test_what_is_recorded(said: dict[str, Any], recorded: tuple[str, str | None, str]) -> None:
    """Each row of the table in the docstring."""
    ruling = ruled(**said)
    assert (ruling.kind, ruling.answer, ruling.reason_code) == recorded


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "approve", "blind": True},
        {"kind": "approve", "model_answer": None},
        {"kind": "correct"},
        {"kind": "correct", "answer": "ecstatic"},
        {"kind": "correct", "answer": 3.0},
        {"kind": "approve", "reason_code": "because"},
        {"kind": "approve", "reason_code": "other"},
        {"kind": "approve", "rationale": "always"},
        {"kind": "correct", "answer": "positive", "rationale": "on_correction"},
        {"kind": "unanswerable", "rationale": "on_correction"},
    ],
)
def test_what_is_refused(said: dict[str, Any]) -> None:
    """Approving unseen, answers outside the schema, unknown reasons and missing rationales are refused."""
    with pytest.raises((ReviewError, BadRequest)) as refused:
        ruled(**said)
    assert refused.value.status == 400  # type: ignore[attr-defined]


def test_blank_words_are_no_rationale() -> None:
    """Spaces do not satisfy a compulsory rationale; words do, and are kept trimmed."""
    judgement = Judgement(kind="approve", rationale="  ", post_key="k")
    settings: dict[str, Any] = {"model_answer": "negative", "blind": False, "schema": SENTIMENT, "rationale": "always"}
    with pytest.raises(VerdictRefused):
        rule_on(judgement, **settings)
    spoken = msgspec.structs.replace(judgement, rationale=" plainly sad ")
    assert rule_on(spoken, **settings).rationale == "plainly sad"


SAFE = Policy(fallback="safe_value", safe_value="neutral")


@pytest.mark.parametrize(
    ("kind", "automated", "policy", "released", "answer", "revised"),
    [
        (None, False, Policy(), None, "positive", False),  # nothing was told yet
        (None, True, Policy(), None, "positive", True),  # an automatic answer had gone out
        (None, True, Policy(), None, "negative", False),
        ("provisional", False, Policy(), None, "positive", True),
        ("provisional", False, Policy(), None, "negative", False),
        ("fallback", False, SAFE, None, "neutral", False),
        ("fallback", False, SAFE, None, "positive", True),
        ("fallback", False, Policy(), None, "positive", False),  # 503: no answer was delivered
        ("answer", False, Policy(), TellingOf(answer="positive"), "positive", False),
        ("answer", False, Policy(), TellingOf(answer="positive"), "neutral", True),
        ("refusal", False, Policy(), TellingOf(answer=None), "neutral", True),
        ("answer", False, Policy(), TellingOf(answer="positive"), None, True),
    ],
)
def test_when_an_outcome_revises_what_was_told(
    kind: str | None, automated: bool, policy: Policy, released: TellingOf | None, answer: str | None, revised: bool
) -> None:
    """Each row of the table in `review.desk.revised`; the model's answer is negative."""
    told = told_about(kind, automated=automated, model_answer="negative", policy=policy, released=released)
    assert revises(told, answer, SENTIMENT) is revised
