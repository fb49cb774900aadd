"""What serves: artifacts, models, versions, releases, trials, and the one pointer row of a model."""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.schema.columns import IMMUTABLE, Id, Json, Micros, Sha256, Table, unique_where

ArtifactKind = Literal["model", "data", "annotations", "report", "recipe"]
AttachedRole = Literal["model", "data", "annotations", "report"]
ServingAction = Literal["founded", "promoted", "rolled_back"]
HaltMode = Literal["review", "fallback", "refuse"]
WatchState = Literal["watching", "passed", "breached", "ended"]
GuardAct = Literal["advised", "paused", "rolled_back"]


class ArtifactRow(Table):
    """A file under its SHA-256."""

    __tablename__ = "artifact"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    kind: Mapped[ArtifactKind]
    bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    location: Mapped[str] = mapped_column(Text)
    created_us: Mapped[Micros]


class ModelRow(Table):
    """A named prediction service with its signature."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[Id] = mapped_column(ForeignKey("tenant.id"))
    name: Mapped[str] = mapped_column(String(63))
    four_eyes: Mapped[bool]
    signature: Mapped[Json]
    created_us: Mapped[Micros]


class VersionRow(Table):
    """One immutable ONNX artifact (or upstream) of a model."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("model_id", "number"), {"info": IMMUTABLE})

    id: Mapped[Id] = mapped_column(primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    number: Mapped[int]
    artifact: Mapped[Sha256 | None] = mapped_column(ForeignKey("artifact.sha256"))
    upstream: Mapped[str | None] = mapped_column(Text)
    admission_report: Mapped[Json]
    card: Mapped[Json]
    """The card as admitted; a release carries its own policy, label schema and guideline."""
    recipe: Mapped[Json | None]
    by: Mapped[str] = mapped_column(String(200))
    created_us: Mapped[Micros]


class PolicyRow(Table):
    """A policy under its digest."""

    __tablename__ = "policy"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    body: Mapped[Json]
    created_us: Mapped[Micros]


class LabelSchemaRow(Table):
    """A label schema under its digest."""

    __tablename__ = "label_schema"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    body: Mapped[Json]
    created_us: Mapped[Micros]


class GuidelineRow(Table):
    """A guideline for reviewers under its digest; the body is Markdown."""

    __tablename__ = "guideline"
    __table_args__ = {"info": IMMUTABLE}

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    created_us: Mapped[Micros]


class ReleaseRow(Table):
    """The unit that is promoted and rolled back."""

    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("model_id", "number"), {"info": IMMUTABLE})

    id: Mapped[Id] = mapped_column(primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    number: Mapped[int]
    version_id: Mapped[Id] = mapped_column(ForeignKey("version.id"))
    policy: Mapped[Sha256] = mapped_column(ForeignKey("policy.sha256"))
    label_schema: Mapped[Sha256] = mapped_column(ForeignKey("label_schema.sha256"))
    guideline: Mapped[Sha256] = mapped_column(ForeignKey("guideline.sha256"))
    overrides: Mapped[Json]
    parent_id: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str | None] = mapped_column(Text)
    created_us: Mapped[Micros]


class ReleaseArtifactRow(Table):
    """An artifact attached to a release."""

    __tablename__ = "release_artifact"
    __table_args__ = {"info": IMMUTABLE}

    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"), primary_key=True)
    role: Mapped[AttachedRole] = mapped_column(primary_key=True)
    artifact: Mapped[Sha256] = mapped_column(ForeignKey("artifact.sha256"), primary_key=True)


class ReleaseMarkRow(Table):
    """A mark on a release: the first one of a model is founding, a bad one is withdrawn."""

    __tablename__ = "release_mark"
    __table_args__ = {"info": IMMUTABLE}

    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"), primary_key=True)
    mark: Mapped[Literal["founding", "withdrawn"]] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    created_us: Mapped[Micros]


class TrialRow(Table):
    """The period in which a candidate may be shadowed or, once its canary is open, answer; one open a model."""

    __tablename__ = "trial"
    __table_args__ = (unique_where("uq_trial_one_open", "closed_us IS NULL", "model_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"))
    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    canary_open: Mapped[bool]
    disagreement_probability: Mapped[float]
    opened_by: Mapped[str] = mapped_column(String(200))
    opened_us: Mapped[Micros]
    closed_us: Mapped[Micros | None]


class ServingRow(Table):
    """What serves now: the one pointer row of a model."""

    __tablename__ = "serving"

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    champion_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    previous_id: Mapped[Id | None] = mapped_column(ForeignKey("release.id"))
    revision: Mapped[int]


class ServingHistoryRow(Table):
    """What served from when on, and who decided that."""

    __tablename__ = "serving_history"
    __table_args__ = {"info": IMMUTABLE}

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    champion_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    from_us: Mapped[Micros]
    action: Mapped[ServingAction]
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    gate: Mapped[Json | None]
    forced: Mapped[bool]
    second_person: Mapped[str | None] = mapped_column(String(200))


class HaltRow(Table):
    """A model's halt: it outranks all flags until it is lifted."""

    __tablename__ = "halt"

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    mode: Mapped[HaltMode]
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    since_us: Mapped[Micros]


class DeclaredRow(Table):
    """What operators declared for a model, from a moment on; the latest revision counts."""

    __abstract__ = True

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[Json | None]
    """The declaration; none where it was cleared."""
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    declared_us: Mapped[Micros]


class GateRow(DeclaredRow):
    """What the gate asks of a model's candidates."""

    __tablename__ = "gate"
    __table_args__ = {"info": IMMUTABLE}


class GuardRow(DeclaredRow):
    """What the guard watches on a model after a promotion."""

    __tablename__ = "guard"
    __table_args__ = {"info": IMMUTABLE}


class GuardWatchRow(Table):
    """How the guard's watch on a promotion stands; one open a model."""

    __tablename__ = "guard_watch"
    __table_args__ = (unique_where("uq_guard_watch_one_open", "state = 'watching'", "model_id"),)

    model_id: Mapped[Id] = mapped_column(ForeignKey("model.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    """Of what serves: which promotion is watched."""
    release_id: Mapped[Id] = mapped_column(ForeignKey("release.id"))
    guard_revision: Mapped[int]
    """Of the declaration by which it is judged."""
    state: Mapped[WatchState]
    act: Mapped[GuardAct | None]
    """What the guard did about a breach."""
    figures: Mapped[Json]
    """What each watch had found when it was looked at last."""
    told: Mapped[str | None] = mapped_column(Text)
    """Why it is over, in plain words."""
    from_us: Mapped[Micros]
    until_us: Mapped[Micros]
    looked_us: Mapped[Micros | None]
    changed_us: Mapped[Micros]
