"""The page of a release: what it is, its parts, its figures, the gate, its trial and history, and what can be done."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import Controller, Response, get

from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import number_of
from review.bundle.taking import READERS
from review.console.acts import HELP, OF_A_RELEASE, Act, acts_of_release, release_keys
from review.console.pages import Asked, has, page
from review.learning.evaluations import EvaluationShown, show_evaluation
from review.release.errors import AlreadyServes
from review.release.gate import GateReport
from review.release.looking import ReleaseLine, Served, known_release, list_releases, served_times, show_release
from review.release.parts import Part, look_at, read_parts
from review.release.progress import TrialSummary, summarize_trial
from review.release.promotion import PromotionTold, preview_promotion
from review.served import show_model
from review.store.evaluations import report_of
from review.timeline.reading import Asked as AskedStretch
from review.timeline.reading import Stretch, read_timeline

ENTRIES = 200
"""How many events of a release its page shows."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspector sees of a release beside the release itself."""

    evaluated: bool
    """Whether it was evaluated at all."""
    evaluation: EvaluationShown | None
    """The one whose report is the release's own; none where that file is not what it was."""
    trial: TrialSummary | None
    history: Stretch


class ReleasePages(Controller):
    """Releases."""

    path = "/models/{name:str}/releases/{release:str}"
    include_in_schema = False

    @get("/", **needs("look"))
    async def show(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, release: str
    ) -> Response[str]:
        """One release with everything that is known of it."""
        number, artifacts = number_of(name, release), LocalObjects(settings.artifacts)
        shown = await show_release(ledger, actor.tenant_id, name, number)
        parts, served = await _parts(ledger, artifacts, actor.tenant_id, name, number)
        inspects = has(actor, "inspect")
        return page(
            "release.html",
            request,
            name=name,
            shown=shown,
            line=shown.line,
            parts=parts,
            served=served,
            told=await _promotion(ledger, artifacts, actor.tenant_id, name, number),
            let_through=_let_through(served),
            found=await _found(ledger, artifacts, actor, name, number) if inspects else None,
            acts=await _acts(ledger, actor, name, shown.line),
            keys=release_keys(),
            help_key=HELP,
            open_key=OF_A_RELEASE["open"],
            takes_bundles=any(actor.may_any(role) for role in READERS),
        )


async def _parts(
    ledger: Ledger, artifacts: LocalObjects, tenant_id: UUID, name: str, number: int
) -> tuple[tuple[Part, ...], list[Served]]:
    """The release's parts as they are found now, and the times in which it served."""
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        named = await read_parts(r, model, await known_release(r, model, number))
        served = [each for each in await served_times(r, model) if each.release == f"{name}@{number}"]
    return await look_at(artifacts, named), served


async def _promotion(
    ledger: Ledger, artifacts: LocalObjects, tenant_id: UUID, name: str, number: int
) -> PromotionTold | None:
    """What the gate says of it now; none of the champion."""
    try:
        return await preview_promotion(ledger, artifacts, tenant_id, name, number)
    except AlreadyServes:
        return None


def _let_through(served: Sequence[Served]) -> GateReport | None:
    """What the gate said when the release came to serve last; none where it was not asked."""
    gate = served[0].gate if served else None
    return msgspec.json.decode(gate, type=GateReport) if gate is not None else None


async def _found(ledger: Ledger, artifacts: LocalObjects, actor: Actor, name: str, number: int) -> Found:
    async with ledger.reading() as r:
        model = await known_model(r, actor.tenant_id, name)
        release = await known_release(r, model, number)
        asked = AskedStretch(model=name, release=f"{name}@{number}", limit=ENTRIES)
        own = await report_of(r, release.id)
        return Found(
            evaluated=own is not None,
            evaluation=await _evaluation(r, artifacts, actor.tenant_id, own.id) if own is not None else None,
            trial=await summarize_trial(r, model.id, release.id),
            history=await read_timeline(r, actor.tenant_id, asked),
        )


async def _evaluation(
    r: ReadSession, artifacts: LocalObjects, tenant_id: UUID, evaluation_id: UUID
) -> EvaluationShown | None:
    try:
        return await show_evaluation(r, artifacts, tenant_id, evaluation_id)
    except (UnknownObject, DamagedObject):
        return None


async def _acts(ledger: Ledger, actor: Actor, name: str, line: ReleaseLine) -> tuple[Act, ...]:
    """What an operator of the model can do with the release; nothing for anybody else."""
    async with ledger.reading() as r:
        model = await known_model(r, actor.tenant_id, name)
        served = (await show_model(r, actor.tenant_id, name)).served
    if not (has(actor, "operate") and actor.may("operator", model.id)):
        return ()
    others = await list_releases(ledger, actor.tenant_id, name)
    return acts_of_release(line, served, back=any(one.stands in ("previous", "served") for one in others))
