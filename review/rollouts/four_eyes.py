"""Four eyes on rollouts: nobody lets more answers out alone by taking them out step by step."""

from collections.abc import Sequence

from flags.definitions import state_from
from flags.names import parse
from gateway.store.flags import current_state
from gateway.store.ledger import ReadSession
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.errors import NotAPerson
from review.release.flag_control import lowered_by_flag
from review.rollouts.errors import ApprovedByAnother, RolloutCannot
from review.rollouts.hand import step_to
from review.rollouts.schedule import Step
from review.store.rollouts import Rollout

FIRST = "the model asks for four eyes: a second person confirms the share of the first step, by 'flags set', before."
EACH = "the model asks for four eyes, so each step but the last waits for an approval."


async def require_confirmed(r: ReadSession, model: ModelRow, flag: str, steps: Sequence[Step]) -> None:
    """Return unless a rollout would let more answers out on one person's word. Raises: RolloutCannot."""
    if not _watched(model, flag):
        return
    if not all(step.approval for step in steps[:-1]):
        raise RolloutCannot(flag=flag, why=EACH)
    if await lowers(r, flag, steps[0].percent):
        raise RolloutCannot(flag=flag, why=FIRST)


async def require_another(r: ReadSession, model: ModelRow, rollout: Rollout, actor: Actor, percent: int) -> None:
    """Return unless who began a rollout would let more answers out alone. Raises: NotAPerson, ApprovedByAnother."""
    if not _watched(model, rollout.flag) or not await lowers(r, rollout.flag, percent):
        return
    if actor.kind != "person":
        raise NotAPerson
    if rollout.by == actor.by:
        raise ApprovedByAnother


async def lowers(r: ReadSession, flag: str, percent: int) -> bool:
    """Whether human control is lower with the flag let on for this share than it is now. Raises: FlagsError."""
    now = state_from((await current_state(r)).body)
    return bool(lowered_by_flag(now, step_to(flag, percent)(now), flag))


def _watched(model: ModelRow, flag: str) -> bool:
    return model.four_eyes and parse(flag)[1] == "automated"
