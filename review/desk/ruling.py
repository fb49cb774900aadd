"""What a posted judgement amounts to: checked against the label schema and the queue's rules. Pure.

| posted                             | recorded     | answer            |
|------------------------------------|--------------|-------------------|
| approve, the answer was shown      | approve      | the model's       |
| approve of a blind case            | refused      |                   |
| approve where there is no answer   | refused      |                   |
| correct, equal to the model's      | approve      | the model's       |
| correct, any other valid answer    | correct      | the one given     |
| unanswerable, cannot_tell, escalate| the same     | none              |

Of a case with two unnamed answers one is chosen instead, as `review.desk.pair` has it.

A rationale is compulsory as the queue says: `never`; `on_correction` for `correct` and `unanswerable`; `always` for
every verdict. The reason `other` always needs one. Choosing one of two answers is never a correction here: to ask for
words would tell whose answer it was.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.labels import Answer, LabelSchema
from review.desk.life import VerdictKind
from review.desk.pair import CHOICES, Choice, Pair, chosen
from review.desk.reasons import reason_for
from review.errors import VerdictRefused

Rationale = Literal["never", "on_correction", "always"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer posts."""

    kind: VerdictKind | Choice
    """`first`, `second`, `both` and `neither` choose between the two answers of a disagreement."""
    answer: Answer | None = None
    reason_code: Annotated[str, Meta(max_length=63)] = ""
    """One of the documented reason codes; the usual one of the kind when left out."""
    rationale: Annotated[str, Meta(max_length=4000)] | None = None
    active_s: Annotated[float, Meta(ge=0)] = 0.0
    """Seconds for which the reviewer was at work on it; never counted longer than the claim lasted."""
    post_key: Annotated[str, Meta(min_length=1, max_length=64)]
    """Made anew for each verdict; posting the same one again gives the same result."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a judgement."""

    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    choice: Choice | None = None
    """What was chosen of two answers."""


def rule_on(
    judgement: Judgement,
    *,
    model_answer: Answer | None,
    blind: bool,
    schema: LabelSchema,
    rationale: Rationale,
    pair: Pair | None = None,
) -> Ruling:
    """What is recorded of the judgement. Raises: VerdictRefused, AnswerRefused."""
    if pair is not None:
        kind, answer = chosen(judgement.kind, judgement.answer, pair, schema)
    else:
        kind, answer = _said(judgement, model_answer, blind, schema)
    choice = next((one for one in CHOICES if one == judgement.kind), None)
    reason = "judged_blind" if blind and not judgement.reason_code and answer is not None else judgement.reason_code
    words = (judgement.rationale or "").strip() or None
    ruling = Ruling(
        kind=kind, answer=answer, reason_code=reason_for(kind, reason, schema), rationale=words, choice=choice
    )
    if words is None and _needs_words(ruling, rationale):
        raise VerdictRefused(fault="a rationale is compulsory here: say in a few words why.")
    return ruling


def _said(
    judgement: Judgement, model_answer: Answer | None, blind: bool, schema: LabelSchema
) -> tuple[VerdictKind, Answer | None]:
    match judgement.kind:
        case "approve":
            return "approve", _approved(model_answer, blind)
        case "correct":
            return _corrected(judgement.answer, model_answer, schema)
        case "first" | "second" | "both" | "neither":
            raise VerdictRefused(fault="this case shows one answer: say 'approve' or 'correct'.")
        case kind:
            return kind, None


def _corrected(
    given: Answer | None, model_answer: Answer | None, schema: LabelSchema
) -> tuple[VerdictKind, Answer | None]:
    if given is None:
        raise VerdictRefused(fault="'correct' needs the right answer in 'answer'.")
    answer = schema.validated(given)
    return ("approve" if answer == model_answer else "correct"), answer


def _approved(model_answer: Answer | None, blind: bool) -> Answer:
    if blind:
        raise VerdictRefused(fault="this case is judged blind: give the right answer with 'correct'.")
    if model_answer is None:
        raise VerdictRefused(fault="the model gave no answer that could be approved.")
    return model_answer


def _needs_words(ruling: Ruling, rationale: Rationale) -> bool:
    if rationale == "always" or ruling.reason_code == "other":
        return True
    if ruling.choice in ("first", "second"):
        return False
    return rationale == "on_correction" and ruling.kind in ("correct", "unanswerable")
