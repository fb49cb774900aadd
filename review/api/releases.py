"""Releases under `/api/v1/models/{model}`: made, looked at, promoted, rolled back; moves have a preview."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import Parameter

from gateway.record.payloads import LocalObjects
from gateway.registry.card import CARD_MAX_BYTES
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.release.creating import Created, Creating, create
from review.release.difference import Difference
from review.release.errors import NoSuchRelease
from review.release.gate import GateReport
from review.release.looking import (
    ReleaseLine,
    ReleaseShown,
    Served,
    differ,
    history,
    list_releases,
    show_release,
)
from review.release.moving import Moved, Preview
from review.release.promotion import Promotion, PromotionTold, gate_of, preview_promotion, promote
from review.release.rollback import Rollback, preview_rollback, roll_back

Why = Annotated[str, msgspec.Meta(max_length=2000)]
NUMBER_DIGITS = 9
Number = Annotated[int, msgspec.Meta(ge=1, lt=10**9)]


class NewRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A card whose policy, labels and guideline shall be a release of the champion's version, or of another."""

    card: Annotated[str, msgspec.Meta(max_length=CARD_MAX_BYTES)]
    version: Number | None = None
    data: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The dataset that it was trained with, if not that of the version's earlier releases."""
    why: Why = ""
    simulation: UUID | None = None
    """The simulation on which it rests."""


class Promoting(msgspec.Struct, frozen=True, kw_only=True):
    """Why a release is promoted; with `expected_revision` only if nobody else was faster.

    `force` overrides the gate; `confirm` confirms, as a second person, what another one asked for.
    """

    why: Why = ""
    force: bool = False
    confirm: bool = False
    expected_revision: int | None = None


class RollingBack(msgspec.Struct, frozen=True, kw_only=True):
    """Why a model is rolled back, and to which release if not to the latest good champion."""

    why: Why = ""
    to: Number | None = None
    expected_revision: int | None = None


class MoveAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What changes, and the change itself unless this was a preview."""

    preview: Preview
    moved: Moved | None


class ReleasesController(Controller):
    """Releases."""

    path = "/api/v1/models/{model:str}"
    tags = ("releases",)

    @get("/releases", **needs("look"))
    async def list_all(self, model: str, ledger: Ledger, actor: Actor) -> list[ReleaseLine]:
        """Every release of a model, the newest first."""
        return await list_releases(ledger, actor.tenant_id, model)

    @post("/releases", **needs("operate"))
    async def create(self, model: str, data: NewRelease, ledger: Ledger, actor: Actor) -> Created:
        """Make a release with another policy, guideline or label schema, without a new version."""
        return await create(ledger, actor, model, Creating(**msgspec.structs.asdict(data)))

    @get("/releases/{release:str}", **needs("look"))
    async def show(self, model: str, release: str, ledger: Ledger, actor: Actor) -> ReleaseShown:
        """A release with everything in it, beside the champion."""
        return await show_release(ledger, actor.tenant_id, model, number_of(model, release))

    @get("/releases/{release:str}/difference", **needs("look"))
    async def difference(
        self, model: str, release: str, ledger: Ledger, actor: Actor, before: Annotated[str, Parameter(max_length=90)]
    ) -> Difference:
        """What differs when a release takes the place of the one before it."""
        numbers = number_of(model, before), number_of(model, release)
        return await differ(ledger, actor.tenant_id, model, *numbers)

    @get("/history", **needs("look"))
    async def history(
        self, model: str, ledger: Ledger, actor: Actor, at: Annotated[str, Parameter(max_length=40)] | None = None
    ) -> list[Served]:
        """What served when, who decided that and why; `?at=14:03` for one moment, of today or in ISO 8601, UTC."""
        return await history(ledger, actor.tenant_id, model, at)

    @get("/releases/{release:str}/gate", **needs("look"))
    async def gate(self, model: str, release: str, ledger: Ledger, actor: Actor, settings: ApiSettings) -> GateReport:
        """What the gate says of a release beside the champion: promote, wait or refuse, with every reason."""
        artifacts = LocalObjects(settings.artifacts)
        return await gate_of(ledger, artifacts, actor.tenant_id, model, number_of(model, release))

    @post("/releases/{release:str}/promotion", status_code=200, **needs("operate"))
    async def promote(
        self,
        model: str,
        release: str,
        data: Promoting,
        ledger: Ledger,
        actor: Actor,
        settings: ApiSettings,
        preview: bool = False,
    ) -> PromotionTold:
        """Make a release serve, if the gate says so; with `?preview=1` only say what would change and what it says."""
        number, artifacts = number_of(model, release), LocalObjects(settings.artifacts)
        if preview:
            return await preview_promotion(ledger, artifacts, actor.tenant_id, model, number)
        asked = Promotion(number=number, **msgspec.structs.asdict(data))
        return await promote(ledger, artifacts, actor, model, asked, settings.machine.memory_max_bytes)

    @post("/rollback", status_code=200, **needs("operate"))
    async def roll_back(
        self, model: str, data: RollingBack, ledger: Ledger, actor: Actor, preview: bool = False
    ) -> MoveAnswer:
        """Go back to the latest champion that was not withdrawn; with `?preview=1` only say which, and what changes."""
        shown = await preview_rollback(ledger, actor.tenant_id, model, data.to)
        if preview:
            return MoveAnswer(preview=shown, moved=None)
        asked = Rollback(why=data.why, to=data.to, expected_revision=data.expected_revision)
        return MoveAnswer(preview=shown, moved=await roll_back(ledger, actor, model, asked))


def number_of(model: str, release: str) -> int:
    """The number in an address: `7`, or `sentiment@7`. Raises: NoSuchRelease."""
    number = release.removeprefix(f"{model}@")
    if not number.isdecimal() or len(number) > NUMBER_DIGITS:
        raise NoSuchRelease(model=model[:80], release=release[:80])
    return int(number)
