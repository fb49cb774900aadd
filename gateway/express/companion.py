"""A trial's other release beside the plain answers of one decision: whether its runs can be joined, and how."""

from typing import Self
from uuid import UUID

from gateway.decision import Decision
from gateway.errors import GatewayError
from gateway.express.judging import PlainJudge
from gateway.express.moulds import ShadowMould
from gateway.inference.batching import Batcher
from gateway.inference.session import INLINE_MAX_US
from gateway.plan import ModelPlan, TrialPlan
from gateway.registry.live import LivePlan, LiveRelease

Joint = tuple[int, UUID, UUID]
"""Whose runs may be joined: the live plan, and the two releases in it."""


class Companion:
    """The release with what makes its outputs an entry."""

    def __init__(
        self, joint: Joint, decision: Decision, trial: TrialPlan, beside: LiveRelease, runner: Batcher,
        mould: ShadowMould,
    ) -> None:  # fmt: skip
        self.joint = joint
        self.name = beside.release.name
        self.session = beside.session
        self.joins = runner.joins
        self.most = runner.most_together if runner.joins else max(1, int(INLINE_MAX_US / beside.session.cost.first_us))
        """How many items are run at a time."""
        self.schema = decision.release.card.labels
        self.judge = PlainJudge(beside.release.card, within=self.schema)
        self.probability = trial.disagreement_probability
        self.mould = mould

    @classmethod
    def of(
        cls, live: LivePlan, model: ModelPlan, answering: LiveRelease, decision: Decision, process: str
    ) -> Self | None:
        """The companion of a decision; None where none runs, or not as plain requests do.

        Both are short, it takes the same inputs as the release that answers, and has a row an item.
        """
        other, trial = decision.shadow_release, model.trial
        if other is None or trial is None or decision.path != "shadow":
            return None
        try:
            beside = live.live(other)
        except GatewayError:
            return None
        runner, session = beside.runner, beside.session
        alike = session.signature.inputs == answering.session.signature.inputs and other.card.batch_axis == 0
        short = max(session.cost.of(1), answering.session.cost.of(1)) <= INLINE_MAX_US
        if not isinstance(runner, Batcher) or not alike or not short:
            return None
        mould = ShadowMould(model.tenant_id, model.name, process, decision, trial)
        return cls((id(live), answering.release.id, other.id), decision, trial, beside, runner, mould)
