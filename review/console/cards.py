"""A card: a claimed case with everything its reviewer must see, read in the request's own transaction."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
from markupsafe import Markup

from gateway.holding.payload import InputPayload, decode_input
from gateway.ids import new_id
from gateway.record.errors import DamagedObject, ObjectsUnavailable, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.registry.card import Card as ModelCard
from gateway.store.ledger import ReadSession
from gateway.store.serving import release_plan
from review.console import words
from review.console.guideline import rendered
from review.console.keys import Key, answer_keys, command_keys
from review.console.shown import ShownInput, shown_inputs
from review.console.store import CallerState, CaseFacts, case_facts
from review.desk.pair import Pair
from review.store.claims import Claim
from review.store.terms import Terms, terms_of
from review.store.verdicts import Draft, draft_of


class LaneCard(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a reviewer's hands, or before a lead who decides it, ready for a page."""

    case: CaseFacts
    claim: Claim | None
    """None where a lead decides: that needs no claim."""
    terms: Terms
    release: str
    card: ModelCard
    inputs: tuple[ShownInput, ...]
    guideline: Markup
    why: str
    caller: CallerState
    answers: tuple[Key, ...]
    commands: tuple[Key, ...]
    post_key: str
    """Made anew for each showing of the card."""
    draft: Draft
    note: str = ""
    """Why the card is back, when it is."""

    @property
    def pair(self) -> Pair | None:
        """The two unnamed answers, where one of them is to be chosen."""
        return self.case.pair

    @property
    def action(self) -> str:
        """Where its form goes."""
        return f"/console/cases/{self.case.id}" if self.claim is None else "/console/lane/verdicts"

    @property
    def shows_answer(self) -> bool:
        """Whether the reviewer may see what the model said."""
        return not self.case.blind and self.pair is None

    def agrees(self, key: Key) -> bool:
        """Whether pressing this key says what the model said, on a card that shows it."""
        return self.shows_answer and key.say == f"choice:{self.case.answer}"

    def needs_words(self, key: Key) -> bool:
        """Whether the verdict of this key must come with a rationale."""
        if self.terms.rationale != "on_correction":
            return self.terms.rationale == "always"
        if key.say in ("unanswerable", "number", "text") or key.say.startswith("neither"):
            return True
        return key.say.startswith("choice:") and key.say != f"choice:{self.case.answer}"


async def read_cards(r: ReadSession, objects: ObjectStore, claims: Sequence[Claim]) -> list[LaneCard]:
    """The cards of these claims, in their order."""
    return [await read_card(r, objects, claim) for claim in claims]


async def read_card(r: ReadSession, objects: ObjectStore, claim: Claim, note: str = "") -> LaneCard:
    """The card of a claim, with the reviewer's draft where there is one."""
    card = await read_case_card(r, objects, claim.case_id, claim.person_id)
    return msgspec.structs.replace(card, claim=claim, note=note)


async def read_case_card(r: ReadSession, objects: ObjectStore, case_id: UUID, person_id: UUID) -> LaneCard:
    """The card of a case that nobody need have claimed."""
    case = await case_facts(r, case_id)
    terms = await terms_of(r, case.id)
    release = await release_plan(r, case.model, case.release_id)
    kept = await draft_of(r, case.id, person_id)
    keys = answer_keys(terms.schema, case.pair)
    payload = await read_input(objects, case.input_sha256)
    return LaneCard(
        case=case,
        claim=None,
        terms=terms,
        release=release.name,
        card=release.card,
        inputs=await asyncio.to_thread(shown_inputs, release.card, payload, case.item, case.items),
        guideline=rendered(release.card.guideline),
        why=words.why_case(
            case.kind,
            case.rule,
            case.evidence,
            release.policy,
            probability=case.inclusion_probability,
            blind=case.blind,
        ),
        caller=case.caller(await r.now_us()),
        answers=keys,
        commands=command_keys(keys),
        post_key=str(new_id()),
        draft=kept.draft if kept is not None else Draft(),
    )


async def read_input(objects: ObjectStore, sha256: str | None) -> InputPayload | None:
    """What came in; None where it was not kept, was erased or cannot be read now."""
    if sha256 is None:
        return None
    try:
        return decode_input(await objects.get(sha256))
    except (UnknownObject, DamagedObject, ObjectsUnavailable, msgspec.MsgspecError):
        return None


async def caller_states(r: ReadSession, cases: Sequence[UUID]) -> dict[UUID, CallerState]:
    """For each case whether its caller waits now."""
    now = await r.now_us()
    return {case_id: (await case_facts(r, case_id)).caller(now) for case_id in cases}
