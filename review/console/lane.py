"""The lane under `/console/lane`: the card in front, two look-ahead cards, and the verdict of one key."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, SkipValidation
from litestar.response import Redirect

from gateway.errors import GatewayError
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger, ReadSession
from gateway.times import SECOND_US
from review.actors import Actor
from review.api.guards import needs
from review.console.cards import LaneCard, read_card, read_cards
from review.console.hand import Held, fill_hand, watch_hand
from review.console.keys import command_keys
from review.console.pages import Asked, html, page, wants_json
from review.console.store import CallerState, last_settling
from review.console.verdicts import VerdictForm, draft_of_form, judgement_of, line_about, told_about
from review.desk.claim import claim_case
from review.desk.judge import Judged, post_verdict
from review.desk.reasons import REASONS
from review.desk.undo import UNDO_S, undo
from review.errors import ClaimLost, ReviewError
from review.learning.corrected import EffectTold, effect_of_mine, effect_of_verdict
from review.store.queues import queues_of, size_of

WATCH_S = 5.0
"""How long a page waits for news at most; a page that was closed claims nothing after that."""
TOLD_S = 3.0
TOLD_ON_PAGE_S = 0.3
"""How long a page without script waits for the delivery, so that it can say how soon the caller was answered."""
EFFECT_S = 8.0
"""How long a page asks for what a correction changed; it comes within five seconds, as the benchmark has it."""
UNDO_REASON = "Taken back by its reviewer in the lane."

Objects = SkipValidation[ObjectStore]
Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class UndoForm(msgspec.Struct, frozen=True, kw_only=True):
    """The case whose last verdict is taken back."""

    case: UUID
    csrf_token: str = ""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What a page holds, and whether somebody sits before it."""

    known: list[Held]
    present: bool


class LaneNews(msgspec.Struct, frozen=True, kw_only=True):
    """What the script is told: a line to say, cards as HTML, callers who came or went, claims that have ended."""

    line: str = ""
    cards: str = ""
    verdict: UUID | None = None
    undo: UUID | None = None
    callers: dict[UUID, CallerState] = {}
    lost: list[UUID] = []


class EffectNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction changed, as HTML, with the sentence to say; empty where nothing is known."""

    html: str = ""
    line: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A queue of the reviewer's, with how many cases are in line."""

    name: str
    waiting: int


class LaneController(Controller):
    """The lane."""

    path = "/lane"
    include_in_schema = False

    @get("/", **needs("judge"))
    async def show(
        self, request: Asked, ledger: Ledger, objects: Objects, actor: Actor, after: UUID | None = None,
        front: UUID | None = None,
    ) -> Response[str]:  # fmt: skip
        """The lane as a page; `after` names the verdict that was just given, `front` the case to begin with."""
        said = ""
        if after is not None:
            told = await told_about(ledger, actor.id, after, TOLD_ON_PAGE_S)
            async with ledger.reading() as r:
                said = f"{await line_about(r, actor.id, after)} {told}"
        elif front is not None:
            said = "Undone: the case is yours again."
        return await _lane(request, ledger, objects, said=said, front=front)

    @post("/verdicts", status_code=200, **needs("judge"))
    async def judge(
        self, data: Annotated[VerdictForm, Form], request: Asked, ledger: Ledger, objects: Objects, actor: Actor
    ) -> Response[Any]:
        """Judge; the script gets a line and the next cards, a form is led back to the lane."""
        try:
            judged = await post_verdict(ledger, actor, data.claim, data.token, judgement_of(data))
        except ClaimLost as lost:
            return await _claim_again(request, ledger, objects, data, lost)
        except (ReviewError, GatewayError) as error:
            if wants_json(request):
                return Response(LaneNews(line=str(error)), status_code=error.status)
            return await _put_back(request, ledger, objects, data, error)
        if not wants_json(request):
            return Redirect(f"/console/lane?after={judged.verdict_id}", status_code=303)
        return await _next_cards(request, ledger, objects, actor, judged)

    @post("/undo", status_code=200, **needs("judge"))
    async def undo(
        self, data: Annotated[UndoForm, Form], request: Asked, ledger: Ledger, objects: Objects, actor: Actor
    ) -> Response[Any]:
        """Take the last verdict on a case back; the card returns to the front."""
        try:
            async with ledger.writing() as w:
                await undo(w, actor, data.case, UNDO_REASON)
            async with ledger.writing() as w:
                claim = await claim_case(w, actor, data.case)
                card = await read_card(w, objects, claim)
        except (ReviewError, GatewayError) as error:
            if wants_json(request):
                return Response(LaneNews(line=str(error)), status_code=error.status)
            return await _lane(request, ledger, objects, said=str(error), status=error.status)
        if not wants_json(request):
            return Redirect(f"/console/lane?front={data.case}", status_code=303)
        return Response(LaneNews(line="Undone: the case is yours again.", cards=_html(request, [card])))

    @post("/watch", status_code=200, **needs("judge"))
    async def watch(
        self, data: Watch, request: Asked, ledger: Ledger, objects: Objects, actor: Actor
    ) -> Response[LaneNews]:
        """What the page does not know yet, as soon as there is something: new cards, callers gone, claims ended."""
        news = await watch_hand(ledger, actor, data.known, present=data.present, wait_s=WATCH_S)
        async with ledger.reading() as r:
            cards = await read_cards(r, objects, news.claims)
        return Response(LaneNews(cards=_html(request, cards), callers=news.callers, lost=news.lost))

    @get("/told/{verdict_id:uuid}", **needs("judge"))
    async def told(self, verdict_id: UUID, ledger: Ledger, actor: Actor) -> LaneNews:
        """What the caller was told after a verdict, and how soon."""
        return LaneNews(line=await told_about(ledger, actor.id, verdict_id, TOLD_S))

    @get("/effect/{verdict_id:uuid}", **needs("judge"))
    async def effect(self, verdict_id: UUID, request: Asked, ledger: Ledger, actor: Actor) -> EffectNews:
        """What a correction changed, as soon as champion and candidate were measured on it."""
        told = await effect_of_verdict(ledger, actor, verdict_id, EFFECT_S)
        if told is None:
            return EffectNews()
        return EffectNews(html=html("_effect.html", request, effect=told), line=_beside(told))


def _beside(told: EffectTold) -> str:
    """The sentence about another release than the one that was corrected, if there is one."""
    return next(iter(told.about_item[1:]), "")


def _html(request: Asked, cards: list[LaneCard]) -> str:
    return "".join(html("_card.html", request, card=card, front=False, reasons=REASONS) for card in cards)


async def _next_cards(
    request: Asked, ledger: Ledger, objects: ObjectStore, actor: Actor, judged: Judged
) -> Response[LaneNews]:
    """What the verdict changed, and the cards that fill the hand again."""
    async with ledger.reading() as r:
        line = await line_about(r, actor.id, judged.verdict_id)
    hand = await fill_hand(ledger, actor)
    async with ledger.reading() as r:
        cards = await read_cards(r, objects, hand.fresh)
    undoable = judged.case_id if judged.state == "settled" else None
    return Response(LaneNews(line=line, verdict=judged.verdict_id, undo=undoable, cards=_html(request, cards)))


async def _claim_again(
    request: Asked, ledger: Ledger, objects: ObjectStore, form: VerdictForm, lost: ClaimLost
) -> Response[Any]:
    """The card again under a new claim, with its draft; only the words where somebody else has it by now."""
    try:
        async with ledger.writing() as w:
            claim = await claim_case(w, request.user, form.case)
            card = await read_card(w, objects, claim, note="Your claim had ended, so nothing was counted. Press again.")
    except (ReviewError, GatewayError) as error:
        if wants_json(request):
            return Response(LaneNews(line=f"{lost} {error}", lost=[form.claim]), status_code=lost.status)
        return await _lane(request, ledger, objects, said=f"{lost} {error}", status=lost.status)
    if wants_json(request):
        told = LaneNews(line=card.note, cards=_html(request, [card]), lost=[form.claim])
        return Response(told, status_code=lost.status)
    return await _lane(request, ledger, objects, said=card.note, front=form.case, status=lost.status)


async def _put_back(
    request: Asked, ledger: Ledger, objects: ObjectStore, form: VerdictForm, error: ReviewError | GatewayError
) -> Response[str]:
    """The lane with the refused card in front, as its reviewer had filled it in."""
    cards, lines = await _hand(ledger, objects, request.user, form.case)
    cards = [
        msgspec.structs.replace(card, draft=draft_of_form(form), note=str(error)) if card.case.id == form.case else card
        for card in cards
    ]
    return await _page(request, ledger, cards, lines, said=str(error), status=error.status)


async def _lane(
    request: Asked, ledger: Ledger, objects: ObjectStore, *, said: str, front: UUID | None = None, status: int = 200
) -> Response[str]:
    cards, lines = await _hand(ledger, objects, request.user, front)
    return await _page(request, ledger, cards, lines, said=said, status=status)


async def _hand(
    ledger: Ledger, objects: ObjectStore, actor: Actor, front: UUID | None
) -> tuple[list[LaneCard], list[Line]]:
    """The hand, filled, with `front` first; and the queues it is filled from."""
    claims = sorted((await fill_hand(ledger, actor)).claims, key=lambda claim: claim.case_id != front)
    async with ledger.reading() as r:
        return await read_cards(r, objects, claims), await _lines(r, actor)


async def _lines(r: ReadSession, actor: Actor) -> list[Line]:
    now = await r.now_us()
    queues = await queues_of(r, actor.id, actor.tenant_id)
    sizes = {name: await size_of(r, queue_id, now) for name, queue_id in queues.items()}
    return [Line(name=name, waiting=size.by_state.get("open", 0)) for name, size in sizes.items()]


async def _page(
    request: Asked, ledger: Ledger, cards: list[LaneCard], lines: list[Line], *, said: str, status: int
) -> Response[str]:
    async with ledger.reading() as r:
        since = await r.now_us() - round(UNDO_S * SECOND_US)
        undoable = await last_settling(r, request.user.id, since)
        effect = await effect_of_mine(r, request.user, undoable.case_id) if undoable else None
    return page(
        "lane.html",
        request,
        status=status,
        cards=cards,
        lines=lines,
        said=said,
        undoable=undoable,
        effect=effect,
        commands=command_keys(),
        reasons=REASONS,
    )
