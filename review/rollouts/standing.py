"""How a rollout stands: what it waits for, and what is in its way."""

from uuid import UUID

import msgspec

from flags.errors import FlagsError
from flags.names import parse
from gateway.store.halts import halt_of
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.schema.rollouts import RolloutState
from gateway.times import SECOND_US
from review.flag_switches import reach_of
from review.rollouts.deciding import Around, Came, missing_of, obstacle_of
from review.rollouts.errors import NoRollout
from review.rollouts.hand import EmbeddedHand, FlagHand, mark_of
from review.store.pointer import pointer_of
from review.store.rollouts import Rollout, latest_rollout_of, moved_since, rollouts_of_tenant
from review.store.trials import open_trial_of

HAND: FlagHand = EmbeddedHand()
LIST_MAX = 200


class StepShown(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the schedule."""

    percent: int
    written: str
    """As people write it, such as `10% 1d, 1000 requests`."""
    stands: str
    """`taken`, `now` or `to come`."""


class RolloutShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout as people see it."""

    id: UUID
    model: str
    flag: str
    state: RolloutState
    percent: int
    """Of the step that was taken last."""
    step: int
    """From 1 on."""
    steps: tuple[StepShown, ...]
    missing: tuple[str, ...]
    """What the present step still waits for, in words."""
    obstacle: str | None
    """What keeps it from going on."""
    told: str | None
    """Why it is paused or over."""
    requests: int
    verdicts: int
    approved_by: str | None
    reach: str
    """For whom the flag is on now."""
    by: str
    why: str
    since_us: int
    started_us: int
    changed_us: int
    version: int

    @property
    def live(self) -> bool:
        """Whether it is not over."""
        return self.state in ("running", "paused")

    @property
    def awaits_approval(self) -> bool:
        """Whether somebody's approval is missing."""
        return self.state == "running" and "an approval" in self.missing

    @property
    def said(self) -> str:
        """How it stands, in a sentence."""
        if self.state == "finished":
            return f"It has come to its end, at {self.percent} %."
        if self.state == "aborted":
            return f"It was aborted at {self.percent} %, and the flag switched off."
        if self.state == "paused":
            return f"It is paused at {self.percent} %. {self.told or ''}".strip()
        waits = f"waits for {' and '.join(self.missing)}" if self.missing else "is about to go on"
        return f"It is at {self.percent} %, step {self.step} of {len(self.steps)}, and {waits}."


async def show_rollout(ledger: Ledger, tenant_id: UUID, flag: str) -> RolloutShown:
    """The latest rollout of a flag. Raises: NotAModelFlag, NoRollout."""
    parse(flag)
    async with ledger.reading() as r:
        rollout = await latest_rollout_of(r, tenant_id, flag)
        if rollout is None:
            raise NoRollout(flag=flag)
        return await shown(r, rollout, await r.now_us())


async def list_rollouts(ledger: Ledger, tenant_id: UUID) -> list[RolloutShown]:
    """The latest rollouts, the latest first."""
    async with ledger.reading() as r:
        now_us = await r.now_us()
        return [await shown(r, rollout, now_us) for rollout in await rollouts_of_tenant(r, tenant_id, LIST_MAX)]


async def shown(r: ReadSession, rollout: Rollout, now_us: int) -> RolloutShown:
    """A rollout as people see it."""
    around = await around_of(r, rollout)
    waiting = missing_of(rollout.present, came_of(rollout, now_us)) if rollout.state == "running" else ()
    names = set(RolloutShown.__struct_fields__) & set(Rollout.__struct_fields__) - {"steps", "step"}
    return RolloutShown(
        **{name: getattr(rollout, name) for name in names},
        percent=rollout.present.percent,
        step=rollout.step + 1,
        steps=tuple(
            StepShown(percent=step.percent, written=step.told, stands=_stands(place, rollout))
            for place, step in enumerate(rollout.steps)
        ),
        missing=tuple(waiting),
        obstacle=obstacle_of(around) if rollout.live else None,
        reach=around.reach,
    )


def came_of(rollout: Rollout, now_us: int) -> Came:
    """What has come since the last step, as it was counted last. Pure."""
    return Came(
        elapsed_s=max(0, now_us - rollout.since_us) / SECOND_US,
        requests=rollout.requests,
        verdicts=rollout.verdicts,
        approved=rollout.approved_by is not None,
    )


async def around_of(r: ReadSession, rollout: Rollout) -> Around:
    """The flag and the model as they stand now."""
    mark, reach = await _flag_now(r, rollout.flag)
    moved = await moved_since(r, rollout.model_id, rollout.serving_revision)
    return Around(
        kind=parse(rollout.flag)[1],
        as_left=mark == rollout.as_left,
        reach=reach,
        halted=await halt_of(r, rollout.model_id) is not None,
        moved="rolled_back" if moved == "rolled_back" else "promoted" if moved else None,
        trial=await open_trial_of(r, rollout.model_id) is not None,
    )


async def _flag_now(r: ReadSession, flag: str) -> tuple[str | None, str]:
    """The mark of the flag as it is defined now and for whom it is on; a flag that is gone is on for nobody."""
    try:
        feature = await HAND.definition(r, flag)
    except FlagsError:
        return None, "nobody"
    return mark_of(feature), reach_of(feature)


async def revision_of(r: ReadSession, model_id: UUID) -> int:
    """The revision of what serves a model."""
    pointer = await pointer_of(r, model_id)
    return pointer.revision if pointer is not None else 0


def _stands(place: int, rollout: Rollout) -> str:
    if place == rollout.step and rollout.state != "finished":
        return "now"
    return "taken" if place <= rollout.step else "to come"
