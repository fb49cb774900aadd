"""A plan with its sessions open: what requests are answered with, swapped whole.

A request keeps the live plan it began with, so it is answered by the release that decoded it. Sessions belong to a
counted cache; a live plan that was replaced gives its sessions back when its last request has ended.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import msgspec
import structlog

from gateway.context import ContextReader
from gateway.errors import GatewayError, ModelNotReady, UnknownModel, UnknownVersion
from gateway.inference.batching import Batcher, Runner
from gateway.inference.cache import SessionCache
from gateway.inference.session import Session
from gateway.plan import Caller, HaltPlan, ModelPlan, Plan, ReleasePlan
from gateway.protocol.decode import Limits, RequestDecoder
from gateway.record.payloads import ObjectStore
from gateway.registry.room import Room, room_for


class LiveRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release whose session is open."""

    release: ReleasePlan
    session: Session
    runner: Runner
    decoder: RequestDecoder
    context: ContextReader
    file: Path | None
    """None where it runs elsewhere."""


class Opener(msgspec.Struct, frozen=True, kw_only=True):
    """Opens releases: with which cache, from which artifacts, under which limits on requests."""

    cache: SessionCache
    artifacts: ObjectStore
    limits: Limits
    memory_max_bytes: int = 0
    """What sessions may take; 0 is no limit."""

    def room(self, plan: Plan) -> Room:
        """Which sessions of a plan are kept open."""
        return room_for(plan.models.values(), self.memory_max_bytes)

    async def open(self, release: ReleasePlan) -> LiveRelease | GatewayError:
        """The release with its session, which its taker gives back to the cache; or why its file cannot be loaded."""
        try:
            if release.upstream is not None:
                session = await self.cache.acquire_upstream(release.upstream)
                return self._live(release, session, session, None)
            file = await self.artifacts.local_path(release.artifact)
            opened = await self.cache.acquire(release.artifact, file, release.card.session, rows=_most_joined(release))
        except GatewayError as error:
            structlog.get_logger().error("release_not_loadable", release=release.name, error=error.code)
            return error
        model = release.name.partition("@")[0]
        batcher = Batcher(opened, release.card.batching, joins=release.joins, model=model)
        return self._live(release, opened, batcher, file)

    async def share(self, live: LiveRelease) -> None:
        """Hold the session of a release once more that is open already."""
        if live.release.upstream is not None:
            await self.cache.acquire_upstream(live.release.upstream)
        elif live.file is not None:
            await self.cache.acquire(live.release.artifact, live.file, live.release.card.session)

    def _live(self, release: ReleasePlan, session: Session, runner: Runner, file: Path | None) -> LiveRelease:
        decoder = RequestDecoder(
            session.signature, display=release.card.beside, batch_axis=release.card.batch_axis, limits=self.limits
        )
        return LiveRelease(
            release=release,
            session=session,
            runner=runner,
            decoder=decoder,
            context=ContextReader(release.card.context),
            file=file,
        )


class LivePlan:
    """A plan, its open sessions, and how many requests use it."""

    def __init__(
        self,
        plan: Plan,
        releases: Mapping[UUID, LiveRelease],
        cache: SessionCache,
        failed: Mapping[str, GatewayError] | None = None,
        room: Room | None = None,
    ) -> None:
        self.plan = plan
        self.room = room or Room(max_bytes=0, kept=())
        """What is kept open of the plan, and what is left cold."""
        self.failed = failed or {}
        """The releases that could not be opened, by name, and why."""
        self.made: dict[tuple[bytes, bytes], Any] = {}
        """What the express way has made for this plan, which goes with it (`gateway.express.express`)."""
        self._releases = releases
        self._cache = cache
        self._requests = 0
        self._retired = False

    @classmethod
    async def open(
        cls,
        plan: Plan,
        before: "LivePlan | None",
        opener: Opener,
        *,
        only_warm: bool = False,
        room: Room | None = None,
    ) -> Self:
        """Open what is new, unless only what is warm shall serve, and share what the plan before has open.

        What there is no room for is left cold. A release whose file cannot be loaded is left out, the others serve.
        """
        room = room or opener.room(plan)
        shared = before._releases if before is not None else {}
        releases: dict[UUID, LiveRelease] = {}
        failed: dict[str, GatewayError] = {}
        for release in releases_of(plan):
            live = shared.get(release.id)
            if room.is_cold(release) or (live is None and only_warm):
                continue
            if live is not None:
                await opener.share(live)
                releases[release.id] = live
                continue
            opened = await opener.open(release)
            if isinstance(opened, GatewayError):
                failed[release.name] = opened
            else:
                releases[release.id] = opened
        return cls(plan, releases, opener.cache, failed, room)

    def in_use(self) -> "LivePlan":
        """Keep the sessions open for the length of a request; any number of them at a time."""
        return self

    def __enter__(self) -> Self:
        self._requests += 1
        return self

    def __exit__(self, *_exception: object) -> None:
        self._requests -= 1
        self._close_if_left()

    def halt(self, halts: Mapping[UUID, HaltPlan]) -> None:
        """Put these halts, and no others, in force at once; nothing has to be opened for that."""
        models = self.plan.models.items()
        halted = {key: msgspec.structs.replace(model, halt=halts.get(model.id)) for key, model in models}
        self.plan = msgspec.structs.replace(self.plan, models=halted)

    def point(self, champions: Mapping[UUID, UUID]) -> None:
        """Let each model be answered by its champion at once, where that is open here; the rest of a plan follows.

        A trial compares with the champion before, so it ends with it.
        """
        pointed = dict(self.plan.models)
        for key, model in self.plan.models.items():
            live = self._releases.get(champions.get(model.id, model.champion.id))
            if live is not None and live.release.id != model.champion.id:
                pointed[key] = msgspec.structs.replace(model, champion=live.release, trial=None)
        self.plan = msgspec.structs.replace(self.plan, models=pointed)

    def admit(self, callers: Mapping[bytes, Caller]) -> None:
        """Let these keys, and no others, work at once: a revoked one does not outlive the opening of a model."""
        self.plan = msgspec.structs.replace(self.plan, callers=callers)

    def retire(self) -> None:
        """Give the sessions back as soon as no request uses them any more."""
        self._retired = True
        self.made.clear()
        self._close_if_left()

    def model(self, tenant_id: UUID, name: str, version: str | None = None) -> ModelPlan:
        """The model, if it has the version. Raises: UnknownModel, UnknownVersion."""
        model = self.plan.model(tenant_id, name)
        if model is None:
            raise UnknownModel(model=name[:80])
        if version is not None and str(model.champion.version) != version:
            raise UnknownVersion(model=name, version=version[:20])
        return model

    def live(self, release: ReleasePlan) -> LiveRelease:
        """The release with its session. Raises: ModelNotReady."""
        found = self._releases.get(release.id)
        if found is None:
            raise ModelNotReady(model=release.name.partition("@")[0])
        return found

    def is_ready(self, release: ReleasePlan) -> bool:
        """Whether the release's session is open."""
        return release.id in self._releases

    def only_lacks_previous(self, plan: Plan) -> bool:
        """Whether another plan could answer with what is open here, and has only a `previous` to open."""
        lacking = {release.id for release in releases_of(plan) if release.id not in self._releases}
        kept_warm = {model.previous.id for model in plan.models.values() if model.previous is not None}
        return bool(lacking) and lacking <= kept_warm - answering(plan)

    def unready(self) -> list[str]:
        """The releases whose files could not be loaded; one that is left cold is not meant to be."""
        lacking = (release for release in releases_of(self.plan) if release.id not in self._releases)
        return sorted(release.name for release in lacking if not self.room.is_cold(release))

    def _close_if_left(self) -> None:
        if self._retired and self._requests == 0:
            for live in self._releases.values():
                self._cache.release(live.release.runs)
            self._releases = {}


def _most_joined(release: ReleasePlan) -> int:
    """The most items that requests are joined to."""
    bounds = release.card.batching
    return bounds.max_rows if release.joins and bounds.join else 1


def answering(plan: Plan) -> set[UUID]:
    """Champion and candidate of every model."""
    champions = {model.champion.id for model in plan.models.values()}
    return champions | {model.trial.candidate.id for model in plan.models.values() if model.trial is not None}


def releases_of(plan: Plan) -> list[ReleasePlan]:
    """Champion, previous and candidate of every model."""
    found: dict[UUID, ReleasePlan] = {}
    for model in plan.models.values():
        candidate = model.trial.candidate if model.trial else None
        found |= {each.id: each for each in (model.champion, model.previous, candidate) if each is not None}
    return list(found.values())
