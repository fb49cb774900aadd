"""Cases, claims and verdicts under `/api/v1`: what a reviewer's program can do, the lane does too."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.params import Parameter, QueryParameter
from msgspec import Meta

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.desk.adjudicate import adjudicate
from review.desk.cards import CaseCard, read_card
from review.desk.claim import COUNT_MAX, claim_case, claim_next, renew_claim, return_claim
from review.desk.judge import Judged, post_verdict
from review.desk.ruling import Judgement
from review.desk.undo import reopen, undo
from review.errors import NoDraft
from review.learning.corrected import EffectTold, effect_of_case
from review.store.cases import Case, read_case
from review.store.claims import Claim, live_claims_of
from review.store.verdicts import Draft, KeptDraft, Verdict, draft_of, keep_draft, recent_verdicts
from review.store.views import Listed, Page, list_cases

PAGE_MAX = 200
Limit = Annotated[int, Parameter(ge=1, le=PAGE_MAX)]
State = Literal["open", "claimed", "partial", "adjudicating", "settled", "expired", "closed"]
Kind = Literal["hold", "audit", "disagreement", "report", "drift"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many cases to claim, and from which queues; all of one's own when none is named."""

    queues: tuple[str, ...] = ()
    count: Annotated[int, Meta(ge=1, le=COUNT_MAX)] = 1


class PostedVerdict(Judgement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict with the token of the claim that it rests on."""

    token: int


class Why(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reason in a few words."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class CaseList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cases; `next` is the `after` of the following page."""

    cases: list[Listed]
    next: UUID | None


class CaseNow(msgspec.Struct, frozen=True, kw_only=True):
    """A case's state after something was done to it."""

    id: UUID
    state: State
    round: int
    version: int


def _now(case: Case) -> CaseNow:
    return CaseNow(id=case.id, state=case.state, round=case.round, version=case.version)


class ClaimsController(Controller):
    """Leases on cases."""

    path = "/api/v1/claims"
    tags = ("desk",)

    @get("/", **needs("judge"), summary="My live claims")
    async def mine(self, ledger: Ledger, actor: Actor) -> list[Claim]:
        """The claims that one holds now, oldest first."""
        async with ledger.reading() as r:
            return await live_claims_of(r, actor.id, await r.now_us())

    @post("/", **needs("judge"), status_code=200, summary="Claim the next cases")
    async def next(self, ledger: Ledger, actor: Actor, data: Wanted) -> list[Claim]:
        """Claims on the cases that come first; an empty list when nothing waits."""
        async with ledger.writing() as w:
            return await claim_next(w, actor, data.queues or None, data.count)

    @post("/{claim_id:uuid}/renew", **needs("judge"), status_code=200, summary="Renew a claim")
    async def renew(self, ledger: Ledger, actor: Actor, claim_id: UUID) -> Claim:
        """The claim with a whole lease from now on."""
        async with ledger.writing() as w:
            return await renew_claim(w, actor, claim_id)

    @post("/{claim_id:uuid}/return", **needs("judge"), status_code=200, summary="Return a case unjudged")
    async def give_back(self, ledger: Ledger, actor: Actor, claim_id: UUID) -> CaseNow:
        """The case goes back into the line."""
        async with ledger.writing() as w:
            return _now(await return_claim(w, actor, claim_id))

    @post("/{claim_id:uuid}/verdict", **needs("judge"), status_code=200, summary="Judge a claimed case")
    async def verdict(self, ledger: Ledger, actor: Actor, claim_id: UUID, data: PostedVerdict) -> Judged:
        """What became of the verdict; 409 when the claim had ended, and the verdict is then kept as a draft."""
        return await post_verdict(ledger, actor, claim_id, data.token, data)


class CasesController(Controller):
    """Cases and what is done with them."""

    path = "/api/v1/cases"
    tags = ("desk",)

    @get("/", **needs("look"), summary="List cases")
    async def list(
        self,
        ledger: Ledger,
        actor: Actor,
        queue: str | None = None,
        in_state: Annotated[State | None, QueryParameter(name="state")] = None,
        kind: Kind | None = None,
        model: str | None = None,
        prediction: UUID | None = None,
        order: Literal["line", "newest"] = "line",
        after: UUID | None = None,
        limit: Limit = 50,
    ) -> CaseList:
        """A page of cases, in the order of the line or the newest first."""
        page = Page(
            queue=queue, state=in_state, kind=kind, model=model, prediction_id=prediction, order=order, after=after,
            limit=limit,
        )  # fmt: skip
        async with ledger.reading() as r:
            cases = await list_cases(r, actor.tenant_id, page)
        return CaseList(cases=cases, next=cases[-1].id if len(cases) == limit else None)

    @get("/{case_id:uuid}", **needs("look"), summary="One case")
    async def show(self, ledger: Ledger, actor: Actor, case_id: UUID) -> CaseCard:
        """Everything that the judgement of a case needs; others' verdicts only when they can sway nobody."""
        async with ledger.reading() as r:
            return await read_card(r, actor, case_id)

    @get("/{case_id:uuid}/effect", **needs("look"), summary="What a settled case changed")
    async def effect(self, ledger: Ledger, actor: Actor, case_id: UUID) -> EffectTold:
        """What champion and candidate say of the case, and their counts since the newest dataset."""
        async with ledger.reading() as r:
            return await effect_of_case(r, actor.tenant_id, case_id)

    @post("/{case_id:uuid}/claim", **needs("judge"), status_code=200, summary="Claim one case")
    async def claim(self, ledger: Ledger, actor: Actor, case_id: UUID) -> Claim:
        """A claim on this case; one's own live claim when there is one already."""
        async with ledger.writing() as w:
            return await claim_case(w, actor, case_id)

    @post("/{case_id:uuid}/adjudicate", **needs("lead"), status_code=200, summary="Decide a case as a lead")
    async def adjudicate(self, ledger: Ledger, actor: Actor, case_id: UUID, data: Judgement) -> Judged:
        """What became of the lead's verdict on an adjudicating case."""
        async with ledger.writing() as w:
            return await adjudicate(w, actor, case_id, data)

    @post("/{case_id:uuid}/undo", **needs("judge"), status_code=200, summary="Undo what was decided")
    async def undo(self, ledger: Ledger, actor: Actor, case_id: UUID, data: Why) -> CaseNow:
        """A new round: within a minute or before the release by the reviewer, at any time by a lead."""
        async with ledger.writing() as w:
            return _now(await undo(w, actor, case_id, data.reason))

    @post("/{case_id:uuid}/reopen", **needs("lead"), status_code=200, summary="Reopen an expired case")
    async def reopen(self, ledger: Ledger, actor: Actor, case_id: UUID, data: Why) -> CaseNow:
        """A new round of an expired case."""
        async with ledger.writing() as w:
            return _now(await reopen(w, actor, case_id, data.reason))

    @get("/{case_id:uuid}/draft", **needs("judge"), summary="My draft for a case")
    async def draft(self, ledger: Ledger, actor: Actor, case_id: UUID) -> KeptDraft:
        """One's unfinished or late verdict; 404 when there is none."""
        async with ledger.reading() as r:
            await read_case(r, case_id, actor.tenant_id)
            kept = await draft_of(r, case_id, actor.id)
        if kept is None:
            raise NoDraft
        return kept

    @put("/{case_id:uuid}/draft", **needs("judge"), status_code=204, summary="Keep a draft for a case")
    async def keep(self, ledger: Ledger, actor: Actor, case_id: UUID, data: Draft) -> None:
        """Kept for its author until she judges the case."""
        actor.require_any("reviewer")
        async with ledger.writing() as w:
            await read_case(w, case_id, actor.tenant_id)
            await keep_draft(w, case_id, actor.id, data, "unfinished", await w.now_us())


class VerdictsController(Controller):
    """What one has judged oneself."""

    path = "/api/v1/verdicts"
    tags = ("desk",)

    @get("/", **needs("judge"), summary="My latest verdicts")
    async def mine(self, ledger: Ledger, actor: Actor, limit: Limit = 50) -> list[Verdict]:
        """One's own verdicts, the newest first."""
        async with ledger.reading() as r:
            return await recent_verdicts(r, actor.id, limit)
