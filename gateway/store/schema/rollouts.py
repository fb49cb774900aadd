"""Progressive rollouts: a flag that is let on step by step."""

from typing import Literal

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import Id, Json, Micros, Sha256, Table, unique_where

RolloutState = Literal["running", "paused", "finished", "aborted"]


class RolloutRow(Table):
    """A schedule of steps on a flag, and how far it has come; one that is not over a flag."""

    __tablename__ = "rollout"
    __table_args__ = (unique_where("uq_rollout_one_live", "state IN ('running', 'paused')", "model_id", "flag"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    flag: Mapped[str] = mapped_column(String(100))
    steps: Mapped[Json]
    step: Mapped[int]
    """The index of the step that was taken last."""
    state: Mapped[RolloutState]
    approved_by: Mapped[str | None] = mapped_column(String(200))
    """Who approved what the present step waits for."""
    as_left: Mapped[Sha256]
    """The digest of the flag's definition as the last step left it: what differs was changed by somebody else."""
    serving_revision: Mapped[int]
    """Of what served when the last step was taken."""
    requests: Mapped[int]
    """How many requests the flag was on for since the last step, when it was looked at last."""
    verdicts: Mapped[int]
    looked_us: Mapped[Micros | None]
    since_us: Mapped[Micros]
    """When the last step was taken."""
    told: Mapped[str | None] = mapped_column(Text)
    """Why it is paused or over, in plain words."""
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    """Grows with every change; whoever changes it names the one that was seen."""
    started_us: Mapped[Micros]
    changed_us: Mapped[Micros]
