"""A verdict as a form of the lane sends it, and what is said about it afterwards."""

import asyncio
import time
from typing import get_args
from uuid import UUID

import msgspec

from gateway.labels import Answer
from gateway.store.ledger import Ledger, ReadSession
from gateway.times import SECOND_US
from review.console import words
from review.console.store import VerdictAftermath, aftermath, case_facts
from review.desk.life import VerdictKind
from review.desk.pair import CHOICES
from review.desk.ruling import Judgement
from review.errors import VerdictRefused
from review.store.terms import terms_of
from review.store.verdicts import Draft, Verdict, recent_verdicts


class CardForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a card's form; `say` comes from the button that was pressed."""

    case: UUID
    post_key: str
    say: str
    answer: str = ""
    rationale: str = ""
    reason_code: str = ""
    active_s: float = 0.0
    csrf_token: str = ""


class VerdictForm(CardForm, frozen=True, kw_only=True):
    """The form of a claimed card."""

    claim: UUID
    token: int


def judgement_of(form: CardForm) -> Judgement:
    """What the reviewer says: a class's button is a correction to that class. Raises: VerdictRefused."""
    kind, answer = _said(form)
    values = {
        "kind": kind,
        "answer": answer,
        "reason_code": form.reason_code,
        "rationale": form.rationale or None,
        "active_s": max(0.0, form.active_s),
        "post_key": form.post_key,
    }
    try:
        return msgspec.convert(values, Judgement)
    except msgspec.ValidationError as error:
        raise VerdictRefused(fault=f"{error}.") from error


def _said(form: CardForm) -> tuple[str, Answer | None]:
    how, _, value = form.say.partition(":")
    if how == "choice":
        return "correct", value
    if how == "number":
        return "correct", _number(form.answer)
    if how == "text":
        return "correct", form.answer
    if how == "neither":
        return "neither", value
    if how in ("neither_number", "neither_text"):
        return "neither", _number(form.answer) if how == "neither_number" else form.answer
    if how not in (*get_args(VerdictKind), *CHOICES):
        raise VerdictRefused(fault="press one of the card's buttons.")
    return how, None


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise VerdictRefused(fault=f"“{text[:40]}” is not a number.") from error


def draft_of_form(form: CardForm) -> Draft:
    """What the reviewer had written, for the card that comes back."""
    return Draft(answer=form.answer or None, reason_code=form.reason_code, rationale=form.rationale or None)


async def line_about(r: ReadSession, person_id: UUID, verdict_id: UUID) -> str:
    """One quiet line about a fresh verdict: what it changed, and who has to act next."""
    verdict = next((v for v in await recent_verdicts(r, person_id, 8) if v.id == verdict_id), None)
    if verdict is None:
        return "Recorded."
    terms = await terms_of(r, verdict.case_id)
    state = (await case_facts(r, verdict.case_id)).state
    answer = words.answer(verdict.answer, terms.schema)
    before = words.answer(verdict.shown.answer, terms.schema)
    return f"{_changed(verdict, before, answer)}{_NEXT.get(state, '')}"


def _changed(verdict: Verdict, before: str, answer: str) -> str:
    if verdict.shown.chosen:
        return f"{_CHOSEN[verdict.shown.chosen]}: {answer}."
    if verdict.kind == "correct":
        return f"Answered blind: {answer}." if verdict.shown.blind else f"Corrected: {before} → {answer}."
    if verdict.kind == "approve":
        return f"Answered blind: {answer}." if verdict.shown.blind else f"Approved: {answer}."
    return {
        "unanswerable": "No answer is right: the caller is refused.",
        "cannot_tell": "Passed on: somebody else will look.",
        "escalate": "Escalated.",
    }[verdict.kind]


_CHOSEN = {"first": "Chosen", "second": "Chosen", "both": "Both are right", "neither": "Neither is right, but"}
_NEXT = {
    "partial": " Another person is needed.",
    "adjudicating": " A lead decides.",
    "open": " Back in line.",
}


async def told_about(ledger: Ledger, person_id: UUID, verdict_id: UUID, wait_s: float) -> str:
    """What the caller was told after a verdict, and how soon; '' while that is open after `wait_s` seconds."""
    until = time.monotonic() + wait_s
    with ledger.bell.listen() as listener:
        while True:
            async with ledger.reading() as r:
                after = await aftermath(r, verdict_id, person_id)
            said = _told(after) if after is not None else ""
            if said is not None:
                return said
            left = until - time.monotonic()
            if left <= 0:
                return ""
            await listener.wait(min(1.0, left))
            await asyncio.sleep(0)


def _told(after: VerdictAftermath) -> str | None:
    """The words, or None while a caller waits and was not told yet."""
    if after.delivered_us is not None:
        later = words.duration((after.delivered_us - after.created_us) / SECOND_US)
        told = {"answer": "answered", "refusal": "told so"}.get(str(after.delivery), "told")
        return f"The caller was {told} {later} later."
    if after.kind != "hold":
        return ""
    return None if after.caller_waiting else "Nobody was waiting: the answer is there when they ask."
