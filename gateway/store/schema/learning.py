"""Learning: precedents, datasets, evaluations, recipes, and what each settled answer says about two releases."""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import IMMUTABLE, Id, Json, Micros, Sha256, Table
from gateway.store.schema.work import CaseKind


class PrecedentRow(Table):
    """A settled correction that answers an identical input until a release has learned it."""

    __tablename__ = "precedent"
    __table_args__ = (
        ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"], ["outcome.prediction_id", "outcome.item", "outcome.revision"]
        ),
    )

    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    label_schema: Mapped[Sha256] = mapped_column(ForeignKey("label_schema.sha256"), primary_key=True)
    input_digest: Mapped[Sha256] = mapped_column(primary_key=True)
    answer: Mapped[Json]
    prediction_id: Mapped[Id]
    item: Mapped[int]
    outcome_revision: Mapped[int]
    expires_us: Mapped[Micros]
    withdrawn_us: Mapped[Micros | None]
    learned_in: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))


class DatasetRow(Table):
    """A frozen, hashed set of outcomes."""

    __tablename__ = "dataset"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    manifest: Mapped[Json]
    items: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(200))
    created_us: Mapped[Micros]


class DatasetItemRow(Table):
    """An outcome in a dataset."""

    __tablename__ = "dataset_item"
    __table_args__ = (
        ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"], ["outcome.prediction_id", "outcome.item", "outcome.revision"]
        ),
        {"info": IMMUTABLE},
    )

    dataset: Mapped[Sha256] = mapped_column(ForeignKey("dataset.sha256"), primary_key=True)
    prediction_id: Mapped[Id] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    outcome_revision: Mapped[int]
    split: Mapped[Literal["train", "held_out"]]
    kind: Mapped[CaseKind]
    inclusion_probability: Mapped[float | None]


class EvaluationRow(Table):
    """A release run over a dataset."""

    __tablename__ = "evaluation"
    __table_args__ = {"info": IMMUTABLE}

    id: Mapped[Id] = mapped_column(primary_key=True)
    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    dataset: Mapped[Sha256] = mapped_column(ForeignKey("dataset.sha256"))
    scores: Mapped[Json]
    report: Mapped[Sha256 | None] = mapped_column(ForeignKey("artifact.sha256"))
    baseline_id: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))
    narrative: Mapped[str | None] = mapped_column(Text)
    seed: Mapped[int] = mapped_column(BigInteger)
    created_us: Mapped[Micros]


class RecipeRow(Table):
    """How a model is trained, under its digest: the command, the files it runs with, and their digests."""

    __tablename__ = "recipe"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    body: Mapped[Json]
    created_us: Mapped[Micros]


class TrainingRuleRow(Table):
    """How a model is retrained: its recipe, after how many corrections by itself, and whether versions need one."""

    __tablename__ = "training_rule"

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    recipe: Mapped[Sha256 | None] = mapped_column(ForeignKey("recipe.sha256"))
    after_corrections: Mapped[int | None]
    recipe_required: Mapped[bool]
    by: Mapped[str] = mapped_column(String(200))
    changed_us: Mapped[Micros]


class EffectRow(Table):
    """What an item's settled answer says about the champion and the candidate of that moment.

    Derived: the worker makes it anew when the truth about the item changes, and takes it away when there is none.
    """

    __tablename__ = "effect"
    __table_args__ = (
        ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"], ["outcome.prediction_id", "outcome.item", "outcome.revision"]
        ),
        # The counts since a dataset are read from this index alone.
        Index("ix_effect_since", "model_id", "champion_id", "candidate_id", "settled_us", "corrected",
              "champion_right", "candidate_right"),
    )  # fmt: skip

    prediction_id: Mapped[Id] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    outcome_revision: Mapped[int]
    """The outcome that is true of the item; it says who settled it."""
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    corrected: Mapped[bool]
    """Whether the outcome differs from the answer that the model gave then."""
    settled_us: Mapped[Micros]
    champion_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    champion_answer: Mapped[Json | None]
    champion_right: Mapped[bool | None]
    """None where it could not be run."""
    candidate_id: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))
    candidate_answer: Mapped[Json | None]
    candidate_right: Mapped[bool | None]
    measured_us: Mapped[Micros]
