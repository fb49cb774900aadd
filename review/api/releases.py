"""Releases under `/api/v1/models/{model}`: promoted, rolled back, each with a preview of what will change."""

from typing import Annotated

import msgspec
from litestar import Controller, post

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.release.errors import NoSuchRelease
from review.release.moving import Moved, Preview
from review.release.promotion import Promotion, preview_promotion, promote
from review.release.rollback import Rollback, preview_rollback, roll_back

Why = Annotated[str, msgspec.Meta(max_length=2000)]
NUMBER_DIGITS = 9
Number = Annotated[int, msgspec.Meta(ge=1, lt=10**9)]


class Promoting(msgspec.Struct, frozen=True, kw_only=True):
    """Why a release is promoted; with `expected_revision` only if nobody else was faster."""

    why: Why = ""
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

    @post("/releases/{release:str}/promotion", status_code=200, **needs("operate"))
    async def promote(
        self, model: str, release: str, data: Promoting, ledger: Ledger, actor: Actor, settings: ApiSettings,
        preview: bool = False,
    ) -> MoveAnswer:  # fmt: skip
        """Make a release serve; with `?preview=1` only say what would change."""
        number = number_of(model, release)
        shown = await preview_promotion(ledger, actor.tenant_id, model, number)
        if preview:
            return MoveAnswer(preview=shown, moved=None)
        asked = Promotion(number=number, why=data.why, expected_revision=data.expected_revision)
        moved = await promote(ledger, LocalObjects(settings.artifacts), actor, model, asked)
        return MoveAnswer(preview=shown, moved=moved)

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
