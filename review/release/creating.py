"""Makes a release of a version that is there already: with another policy, guideline or label schema."""

from collections.abc import Iterator, Mapping
from uuid import UUID

import msgspec

from gateway.inference.report import AdmissionReport
from gateway.registry.card import Card, parse_card
from gateway.registry.fitting import require_fit
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.models import add_release, keep_documents
from gateway.store.schema.serves import AttachedRole, VersionRow
from review.actors import Actor
from review.learning.learned import trained_with
from review.operators import operated_model
from review.release.control import lowered_control
from review.release.difference import DOCUMENTS, Documents, difference
from review.release.errors import NoSuchVersion, NothingNew, ReleaseRefused
from review.release.moving import Standing, require_why, standing_of
from review.simulation.simulations import require_about
from review.store.releases import data_of_version, documents_of, find_version


class Creating(msgspec.Struct, frozen=True, kw_only=True):
    """A release to be made: a card's policy, labels and guideline on a version, and why."""

    card: str
    """The card's text, in TOML."""
    version: int | None = None
    """The champion's version unless another is named."""
    data: str = ""
    """The dataset that it was trained with; what the version's earlier releases say unless one is named."""
    why: str
    simulation: UUID | None = None
    """The simulation on which it rests."""


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was made and serves nobody yet."""

    model: str
    release: str
    number: int
    version: int
    parent: str
    """The release that served when it was made."""
    raises_control: bool
    """Whether it only raises human control beside the champion, so that it may go live without a gate."""
    lowered: tuple[str, ...]
    """Why it may not, as sentences."""


async def create(ledger: Ledger, actor: Actor, name: str, asked: Creating) -> Created:
    """Make a release for an operator; it serves nobody yet.

    Raises: ReasonMissing, CardRefused, UnknownModel, NotAllowed, NoSuchVersion, UnknownDataset, OtherModel,
    ReleaseRefused, NothingNew, UnknownSimulation, SimulationOfOther, SimulationNotDone.
    """
    require_why(asked.why)
    card = parse_card(asked.card)
    async with ledger.writing() as w:
        now = await standing_of(w, await operated_model(w, actor, name))
        champion = await documents_of(w, now.model, now.champion)
        version = await find_version(w, now.model.id, asked.version or champion.release.version)
        if version is None:
            raise NoSuchVersion(model=now.model.name, version=asked.version)
        _require_its_card(card, version)
        await require_about(w, actor.tenant_id, asked.simulation, name)
        data = await trained_with(w, now.model, asked.data) if asked.data else await data_of_version(w, version.id)
        return await _write(w, now, champion, version, card, data, asked, by=actor.by)


def _require_its_card(card: Card, version: VersionRow) -> None:
    """Return if the card differs from the version's only where a release may. Raises: ReleaseRefused, CardRefused."""
    others = ", ".join(_other_places(msgspec.json.decode(version.card, type=Card), card))
    if others:
        raise ReleaseRefused(places=others, version=version.number)
    require_fit(card, msgspec.json.decode(version.admission_report, type=AdmissionReport))


def _other_places(was: Card, shall: Card) -> Iterator[str]:
    for field in msgspec.structs.fields(Card):
        if field.name not in DOCUMENTS and getattr(was, field.name) != getattr(shall, field.name):
            yield field.name


async def _write(
    w: WriteSession,
    now: Standing,
    champion: Documents,
    version: VersionRow,
    card: Card,
    data: Mapping[AttachedRole, str],
    asked: Creating,
    *,
    by: str,
) -> Created:
    at_us = await w.now_us()
    parts = await keep_documents(w, card, at_us)
    row = await add_release(w, version, parts, by, at_us, parent=now.champion, why=asked.why, attached=data)
    made = await documents_of(w, now.model, row)
    if not difference(champion, made).changes:
        raise NothingNew(release=now.champion_name)
    lowered = lowered_control(champion.release, made.release)
    told = {"release": made.release.name, "version": version.number, "parent": now.champion_name, "why": asked.why}
    told |= {"simulation": str(asked.simulation)} if asked.simulation is not None else {}
    subject = f"model:{now.model.name}"
    await append_event(w, "release.created", subject, told, by=by, tenant_id=now.model.tenant_id, at_us=at_us)
    return Created(
        model=now.model.name,
        release=made.release.name,
        number=row.number,
        version=version.number,
        parent=now.champion_name,
        raises_control=not lowered,
        lowered=lowered,
    )
