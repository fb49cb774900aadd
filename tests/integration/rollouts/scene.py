"""A model with rollouts on its flags: what operators do, and a look of the worker at any time."""

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from flags.definitions import Feature, state_from
from gateway.ids import new_id
from gateway.record.entries import Decided, FlagFact, FlagFacts
from gateway.store.events import events_about
from gateway.store.flags import current_state
from gateway.store.halts import halt
from gateway.store.ledger import Ledger
from gateway.store.models import find_model
from gateway.store.segments import LedgerSegments
from gateway.times import SECOND_US, now_us
from review.flag_switches import reach_of
from review.flagging import flip
from review.rollouts import moving
from review.rollouts.following import follow_rollouts
from review.rollouts.standing import RolloutShown, show_rollout
from review.traffic.query import TrafficReader
from tests.integration.record.scene import record
from tests.integration.release.scene import MODEL, Scene
from tests.unit.record.samples import decided

FLAG = f"{MODEL}.automated"
HOUR_S = 3600.0


class Rolling(msgspec.Struct, frozen=True, kw_only=True):
    """A scene of releases with rollouts."""

    scene: Scene

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return self.scene.registry.ledger

    @property
    def traffic(self) -> Path:
        """Where the traffic log lies."""
        return self.scene.registry.folder / "traffic"

    async def start(self, *steps: str, flag: str = FLAG, simulation: UUID | None = None) -> RolloutShown:
        """Start a rollout."""
        asked = moving.Start(steps=steps, why="a week without an error", simulation=simulation)
        return await moving.start(self.ledger, self.scene.operator, flag, asked)

    async def move(self, move: str, why: str = "a test", flag: str = FLAG) -> RolloutShown:
        """What an operator does to it."""
        moved: RolloutShown = await getattr(moving, move)(self.ledger, self.scene.operator, flag, why)
        return moved

    async def look(self, after_s: float = 0.0) -> RolloutShown:
        """The worker looks, so long after the last step; how the rollout stands then."""
        since_us = (await self.shown()).since_us
        reader = TrafficReader(self.traffic, LedgerSegments(self.ledger))
        await follow_rollouts(self.ledger, reader, since_us + round(after_s * SECOND_US))
        return await self.shown()

    async def shown(self, flag: str = FLAG) -> RolloutShown:
        """How it stands."""
        return await show_rollout(self.ledger, self.scene.registry.tenant_id, flag)

    async def feature(self, flag: str = FLAG) -> Feature:
        """The flag as it is defined now."""
        async with self.ledger.reading() as r:
            return state_from((await current_state(r)).body).feature(flag)

    async def reach(self, flag: str = FLAG) -> str:
        """For whom the flag is on."""
        return reach_of(await self.feature(flag))

    async def flip(self, *, on: bool) -> None:
        """Somebody switches the flag by hand."""
        await flip(self.ledger, self.scene.operator, FLAG, on=on, why="by hand")

    async def halt(self) -> None:
        """Somebody halts the model."""
        async with self.ledger.writing() as w:
            model = await find_model(w, self.scene.registry.tenant_id, MODEL)
            assert model is not None
            await halt(w, model, "review", by="person:ada", why="complaints")

    async def told(self) -> list[tuple[str, Any]]:
        """What the events say of the rollout and of its flag, in their order: the type, and the percentage or reach."""
        async with self.ledger.reading() as r:
            found = await events_about(r, f"flag:{FLAG}")
        ordered = sorted(found, key=lambda one: (one.occurred_us, one.id))
        return [(one.type, msgspec.json.decode(one.data).get("percent")) for one in ordered]

    async def requests(self, on: int, off: int = 0, items: int = 1, *, at_us: int | None = None) -> None:
        """So many requests were answered while the flag was on for them, and off."""
        await record(self.traffic, [self._entry(at_us, items, let_on=n < on) for n in range(on + off)])

    def _entry(self, at_us: int | None, items: int, *, let_on: bool) -> Decided:
        said = (FlagFact(name="automated", enabled=let_on, reason="on" if let_on else "off"),)
        entry = decided(
            model=MODEL, tenant=self.scene.registry.tenant_id, at_us=at_us or now_us(), prediction=new_id(), items=items
        )
        return msgspec.structs.replace(entry, flags=FlagFacts(answers=said))
