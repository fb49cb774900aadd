"""The tables of the spine.

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import columns
from gateway.store.schema.immutable import trigger_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IMMUTABLE = [
    "artifact",
    "dataset",
    "dataset_item",
    "delivery",
    "evaluation",
    "flag_change",
    "flag_state",
    "guideline",
    "label_schema",
    "outcome",
    "outcome_undone",
    "outcome_verdict",
    "policy",
    "queue_revision",
    "release",
    "release_artifact",
    "release_mark",
    "serving_history",
    "verdict",
    "version",
]


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("model", "data", "annotations", "report", "recipe", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_artifact")),
        info={"immutable": True},
    )
    op.create_table(
        "cursor",
        sa.Column("consumer", sa.String(length=200), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_cursor")),
    )
    op.create_table(
        "flag_state",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("revision", sa.String(length=63), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_flag_state")),
        info={"immutable": True},
    )
    op.create_table(
        "guideline",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_guideline")),
        info={"immutable": True},
    )
    op.create_table(
        "label_schema",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_label_schema")),
        info={"immutable": True},
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "person",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("preferences", sa.Text(), nullable=True),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.Column("disabled_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "policy",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_policy")),
        info={"immutable": True},
    )
    op.create_table(
        "segment",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("process", sa.String(length=100), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=True),
        sa.Column("last_us", sa.BigInteger(), nullable=True),
        sa.Column("torn_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sealed_us", sa.BigInteger(), nullable=False),
        sa.Column("removed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_segment")),
    )
    op.create_table(
        "tenant",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_key_person_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_api_key_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_key_sha256")),
    )
    op.create_table(
        "event",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("type", sa.String(length=63), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("occurred_us", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_event_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("position", name=op.f("uq_event_position")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_subject", ["subject", "position"], unique=False)
        batch_op.create_index(
            "ix_event_unpositioned",
            ["id"],
            unique=False,
            sqlite_where=sa.text("position IS NULL"),
            postgresql_where=sa.text("position IS NULL"),
        )

    op.create_table(
        "flag_change",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=True),
        sa.Column("after", sa.String(length=64), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("second_person", sa.String(length=200), nullable=True),
        sa.Column("simulation", sa.String(length=100), nullable=True),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["after"], ["flag_state.sha256"], name=op.f("fk_flag_change_after")),
        sa.ForeignKeyConstraint(["before"], ["flag_state.sha256"], name=op.f("fk_flag_change_before")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_change")),
        info={"immutable": True},
    )
    with op.batch_alter_table("flag_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_change_flag"), ["flag"], unique=False)

    op.create_table(
        "flag_current",
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["state"], ["flag_state.sha256"], name=op.f("fk_flag_current_state")),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_flag_current")),
    )
    op.create_table(
        "invitation",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_invitation_person_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_invitation_tenant_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_invitation")),
    )
    op.create_table(
        "job",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "running", "done", "failed", "cancelled", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("dedupe", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_state", ["state", "created_us"], unique=False)
        batch_op.create_index(
            "uq_job_dedupe",
            ["tenant_id", "kind", "dedupe"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'running')"),
            postgresql_where=sa.text("state IN ('waiting', 'running')"),
        )

    op.create_table(
        "model",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_model_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_model_tenant_id_name")),
    )
    op.create_table(
        "payload",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("erased_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_payload_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payload")),
    )
    with op.batch_alter_table("payload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payload_sha256"), ["sha256"], unique=False)

    op.create_table(
        "plan_revision",
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_plan_revision_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_plan_revision")),
    )
    op.create_table(
        "segment_part",
        sa.Column("segment", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.Enum("decided", "shadowed", "delivered", native_enum=False, length=24), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.name"], name=op.f("fk_segment_part_segment")),
        sa.PrimaryKeyConstraint("segment", "kind", name=op.f("pk_segment_part")),
    )
    op.create_table(
        "session",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_session")),
    )
    op.create_table(
        "dataset",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_dataset_model_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_dataset")),
        info={"immutable": True},
    )
    op.create_table(
        "grant",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column(
            "role",
            sa.Enum("reviewer", "lead", "operator", "auditor", "admin", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_grant_model_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_grant_person_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_grant_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        sa.UniqueConstraint(
            "person_id", "role", "tenant_id", "model_id", name=op.f("uq_grant_person_id_role_tenant_id_model_id")
        ),
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index(
            "uq_grant_tenant_wide",
            ["person_id", "role", "tenant_id"],
            unique=True,
            sqlite_where=sa.text("model_id IS NULL"),
            postgresql_where=sa.text("model_id IS NULL"),
        )

    op.create_table(
        "halt",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("mode", sa.Enum("review", "fallback", "refuse", native_enum=False, length=24), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_halt_model_id")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_halt")),
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("api_key_id", columns.Uuid(length=16), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=True),
        sa.Column("state", sa.Enum("running", "decided", native_enum=False, length=24), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("owner_until_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name=op.f("fk_idempotency_api_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_idempotency_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "api_key_id", "route", "key_digest", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_expires_us"), ["expires_us"], unique=False)

    op.create_table(
        "queue",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_queue_model_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_queue_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_queue_tenant_id_name")),
    )
    op.create_table(
        "version",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("artifact", sa.String(length=64), nullable=True),
        sa.Column("upstream", sa.Text(), nullable=True),
        sa.Column("admission_report", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["artifact.sha256"], name=op.f("fk_version_artifact")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_version_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("model_id", "number", name=op.f("uq_version_model_id_number")),
        info={"immutable": True},
    )
    op.create_table(
        "queue_member",
        sa.Column("queue_id", columns.Uuid(length=16), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_queue_member_person_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_queue_member_queue_id")),
        sa.PrimaryKeyConstraint("queue_id", "person_id", name=op.f("pk_queue_member")),
    )
    op.create_table(
        "queue_revision",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("queue_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "agreement", sa.Enum("single", "majority", "unanimous", native_enum=False, length=24), nullable=False
        ),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column("deadline_s", sa.Double(), nullable=False),
        sa.Column("blind_share", sa.Double(), nullable=False),
        sa.Column("lease_s", sa.Double(), nullable=False),
        sa.Column("undo_grace_s", sa.Double(), nullable=False),
        sa.Column(
            "rationale", sa.Enum("never", "on_correction", "always", native_enum=False, length=24), nullable=False
        ),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_queue_revision_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_revision")),
        sa.UniqueConstraint("queue_id", "revision", name=op.f("uq_queue_revision_queue_id_revision")),
        info={"immutable": True},
    )
    op.create_table(
        "release",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version_id", columns.Uuid(length=16), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("label_schema", sa.String(length=64), nullable=False),
        sa.Column("guideline", sa.String(length=64), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.Column("parent_id", columns.Uuid(length=16), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["guideline"], ["guideline.sha256"], name=op.f("fk_release_guideline")),
        sa.ForeignKeyConstraint(["label_schema"], ["label_schema.sha256"], name=op.f("fk_release_label_schema")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_release_model_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["release.id"], name=op.f("fk_release_parent_id")),
        sa.ForeignKeyConstraint(["policy"], ["policy.sha256"], name=op.f("fk_release_policy")),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk_release_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("model_id", "number", name=op.f("uq_release_model_id_number")),
        info={"immutable": True},
    )
    op.create_table(
        "evaluation",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("report", sa.String(length=64), nullable=True),
        sa.Column("baseline_id", columns.Uuid(length=16), nullable=True),
        sa.Column("narrative", sa.Text(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["baseline_id"], ["release.id"], name=op.f("fk_evaluation_baseline_id")),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.sha256"], name=op.f("fk_evaluation_dataset")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_evaluation_release_id")),
        sa.ForeignKeyConstraint(["report"], ["artifact.sha256"], name=op.f("fk_evaluation_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
        info={"immutable": True},
    )
    op.create_table(
        "prediction",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("api_key_id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("flag_state", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=255), nullable=True),
        sa.Column(
            "decided_path", sa.Enum("automated", "shadow", "review", native_enum=False, length=24), nullable=False
        ),
        sa.Column("path", sa.Enum("automated", "shadow", "review", native_enum=False, length=24), nullable=False),
        sa.Column("decided_rule", sa.String(length=63), nullable=False),
        sa.Column("rule", sa.String(length=63), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("input_digest", sa.String(length=64), nullable=False),
        sa.Column("input_payload_id", columns.Uuid(length=16), nullable=True),
        sa.Column("output_payload_id", columns.Uuid(length=16), nullable=True),
        sa.Column("wait_until_us", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_us", sa.BigInteger(), nullable=True),
        sa.Column("log_segment", sa.String(length=100), nullable=True),
        sa.Column("log_offset", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name=op.f("fk_prediction_api_key_id")),
        sa.ForeignKeyConstraint(["input_payload_id"], ["payload.id"], name=op.f("fk_prediction_input_payload_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_prediction_model_id")),
        sa.ForeignKeyConstraint(["output_payload_id"], ["payload.id"], name=op.f("fk_prediction_output_payload_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_prediction_release_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_prediction_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction")),
    )
    with op.batch_alter_table("prediction", schema=None) as batch_op:
        batch_op.create_index("ix_prediction_created", ["tenant_id", "created_us"], unique=False)
        batch_op.create_index("ix_prediction_equal", ["api_key_id", "input_digest", "created_us"], unique=False)
        batch_op.create_index(
            "uq_prediction_join",
            ["tenant_id", "api_key_id", "model_id", "release_id", "input_digest"],
            unique=True,
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )

    op.create_table(
        "release_artifact",
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column(
            "role", sa.Enum("model", "data", "annotations", "report", native_enum=False, length=24), nullable=False
        ),
        sa.Column("artifact", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["artifact.sha256"], name=op.f("fk_release_artifact_artifact")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_release_artifact_release_id")),
        sa.PrimaryKeyConstraint("release_id", "role", "artifact", name=op.f("pk_release_artifact")),
        info={"immutable": True},
    )
    op.create_table(
        "release_mark",
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("mark", sa.Enum("founding", "withdrawn", native_enum=False, length=24), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_release_mark_release_id")),
        sa.PrimaryKeyConstraint("release_id", "mark", name=op.f("pk_release_mark")),
        info={"immutable": True},
    )
    op.create_table(
        "serving",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("champion_id", columns.Uuid(length=16), nullable=False),
        sa.Column("previous_id", columns.Uuid(length=16), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["champion_id"], ["release.id"], name=op.f("fk_serving_champion_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_serving_model_id")),
        sa.ForeignKeyConstraint(["previous_id"], ["release.id"], name=op.f("fk_serving_previous_id")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_serving")),
    )
    op.create_table(
        "serving_history",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("champion_id", columns.Uuid(length=16), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column(
            "action", sa.Enum("founded", "promoted", "rolled_back", native_enum=False, length=24), nullable=False
        ),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("second_person", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["champion_id"], ["release.id"], name=op.f("fk_serving_history_champion_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_serving_history_model_id")),
        sa.PrimaryKeyConstraint("model_id", "revision", name=op.f("pk_serving_history")),
        info={"immutable": True},
    )
    op.create_table(
        "trial",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("canary_open", sa.Boolean(), nullable=False),
        sa.Column("disagreement_probability", sa.Double(), nullable=False),
        sa.Column("opened_by", sa.String(length=200), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_trial_model_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_trial_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial")),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(
            "uq_trial_one_open",
            ["model_id"],
            unique=True,
            sqlite_where=sa.text("closed_us IS NULL"),
            postgresql_where=sa.text("closed_us IS NULL"),
        )

    op.create_table(
        "case",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("hold", "audit", "disagreement", "report", "drift", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("queue_id", columns.Uuid(length=16), nullable=False),
        sa.Column("queue_revision_id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("other_release_id", columns.Uuid(length=16), nullable=True),
        sa.Column("rule", sa.String(length=63), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("inclusion_probability", sa.Double(), nullable=True),
        sa.Column("draw", sa.Double(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "claimed",
                "partial",
                "adjudicating",
                "settled",
                "expired",
                "closed",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_token", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("caller_waiting", sa.Boolean(), nullable=False),
        sa.Column("caller_withdrew", sa.Boolean(), nullable=False),
        sa.Column(
            "closed_reason",
            sa.Enum("cancelled", "cannot_tell", "superseded", "erased", native_enum=False, length=24),
            nullable=True,
        ),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_case_model_id")),
        sa.ForeignKeyConstraint(["other_release_id"], ["release.id"], name=op.f("fk_case_other_release_id")),
        sa.ForeignKeyConstraint(["prediction_id"], ["prediction.id"], name=op.f("fk_case_prediction_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_case_queue_id")),
        sa.ForeignKeyConstraint(["queue_revision_id"], ["queue_revision.id"], name=op.f("fk_case_queue_revision_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_case_release_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_case_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("prediction_id", "item", "kind", name=op.f("uq_case_prediction_id_item_kind")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.create_index("ix_case_due", ["state", "due_us"], unique=False)
        batch_op.create_index(
            "ix_case_line",
            ["queue_id", "priority", "due_us", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'claimed', 'partial')"),
            postgresql_where=sa.text("state IN ('open', 'claimed', 'partial')"),
        )
        batch_op.create_index("ix_case_next", ["queue_id", "state", "priority", "due_us", "id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("answer", "provisional", "fallback", "refusal", "held", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("outcome_revision", sa.Integer(), nullable=True),
        sa.Column("response_digest", sa.String(length=64), nullable=False),
        sa.Column("delivered_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["prediction.id"], name=op.f("fk_delivery_prediction_id")),
        sa.PrimaryKeyConstraint("prediction_id", "n", name=op.f("pk_delivery")),
        info={"immutable": True},
    )
    op.create_table(
        "claim",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("case_id", columns.Uuid(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("claimed_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column(
            "ended_why",
            sa.Enum("verdict", "returned", "expired", "decided", "closed", native_enum=False, length=24),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_claim_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_claim_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("case_id", "token", name=op.f("uq_claim_case_id_token")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index(
            "ix_claim_expiry",
            ["expires_us"],
            unique=False,
            sqlite_where=sa.text("ended_us IS NULL"),
            postgresql_where=sa.text("ended_us IS NULL"),
        )
        batch_op.create_index(
            "ix_claim_live_of",
            ["person_id"],
            unique=False,
            sqlite_where=sa.text("ended_us IS NULL"),
            postgresql_where=sa.text("ended_us IS NULL"),
        )
        batch_op.create_index(
            "uq_claim_live_person",
            ["case_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("ended_us IS NULL"),
            postgresql_where=sa.text("ended_us IS NULL"),
        )
        batch_op.create_index(
            "uq_claim_live_slot",
            ["case_id", "round", "slot"],
            unique=True,
            sqlite_where=sa.text("ended_us IS NULL"),
            postgresql_where=sa.text("ended_us IS NULL"),
        )

    op.create_table(
        "draft",
        sa.Column("case_id", columns.Uuid(length=16), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=63), nullable=False),
        sa.Column("saved_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_draft_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draft_person_id")),
        sa.PrimaryKeyConstraint("case_id", "person_id", name=op.f("pk_draft")),
    )
    op.create_table(
        "outcome",
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("case_id", columns.Uuid(length=16), nullable=True),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("status", sa.Enum("answered", "unanswerable", native_enum=False, length=24), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("differs", sa.Boolean(), nullable=True),
        sa.Column("release_after_us", sa.BigInteger(), nullable=False),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_outcome_case_id")),
        sa.ForeignKeyConstraint(["prediction_id"], ["prediction.id"], name=op.f("fk_outcome_prediction_id")),
        sa.PrimaryKeyConstraint("prediction_id", "item", "revision", name=op.f("pk_outcome")),
        info={"immutable": True},
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index("ix_outcome_case", ["case_id"], unique=False)

    op.create_table(
        "dataset_item",
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("outcome_revision", sa.Integer(), nullable=False),
        sa.Column("split", sa.Enum("train", "held_out", native_enum=False, length=24), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("hold", "audit", "disagreement", "report", "drift", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("inclusion_probability", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.sha256"], name=op.f("fk_dataset_item_dataset")),
        sa.ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"],
            ["outcome.prediction_id", "outcome.item", "outcome.revision"],
            name=op.f("fk_dataset_item_prediction_id_item_outcome_revision"),
        ),
        sa.PrimaryKeyConstraint("dataset", "prediction_id", "item", name=op.f("pk_dataset_item")),
        info={"immutable": True},
    )
    op.create_table(
        "outcome_undone",
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("undone_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id", "item", "revision"],
            ["outcome.prediction_id", "outcome.item", "outcome.revision"],
            name=op.f("fk_outcome_undone_prediction_id_item_revision"),
        ),
        sa.PrimaryKeyConstraint("prediction_id", "item", "revision", name=op.f("pk_outcome_undone")),
        info={"immutable": True},
    )
    op.create_table(
        "precedent",
        sa.Column("tenant_id", columns.Uuid(length=16), nullable=False),
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("label_schema", sa.String(length=64), nullable=False),
        sa.Column("input_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("outcome_revision", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.Column("learned_in", columns.Uuid(length=16), nullable=True),
        sa.ForeignKeyConstraint(["label_schema"], ["label_schema.sha256"], name=op.f("fk_precedent_label_schema")),
        sa.ForeignKeyConstraint(["learned_in"], ["release.id"], name=op.f("fk_precedent_learned_in")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_precedent_model_id")),
        sa.ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"],
            ["outcome.prediction_id", "outcome.item", "outcome.revision"],
            name=op.f("fk_precedent_prediction_id_item_outcome_revision"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_precedent_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "model_id", "label_schema", "input_digest", name=op.f("pk_precedent")),
    )
    op.create_table(
        "verdict",
        sa.Column("id", columns.Uuid(length=16), nullable=False),
        sa.Column("case_id", columns.Uuid(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("person_id", columns.Uuid(length=16), nullable=False),
        sa.Column("claim_id", columns.Uuid(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("approve", "correct", "unanswerable", "cannot_tell", "escalate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.String(length=63), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("guideline", sa.String(length=64), nullable=False),
        sa.Column("active_s", sa.Double(), nullable=False),
        sa.Column("adjudicated", sa.Boolean(), nullable=False),
        sa.Column("only_lead", sa.Boolean(), nullable=False),
        sa.Column("undoes_id", columns.Uuid(length=16), nullable=True),
        sa.Column("post_key", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_verdict_case_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_verdict_claim_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_verdict_person_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["verdict.id"], name=op.f("fk_verdict_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_verdict_claim_id")),
        sa.UniqueConstraint("person_id", "post_key", name=op.f("uq_verdict_person_id_post_key")),
        info={"immutable": True},
    )
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.create_index("ix_verdict_case", ["case_id", "round", "person_id"], unique=False)
        batch_op.create_index("ix_verdict_person", ["person_id", "created_us"], unique=False)

    op.create_table(
        "outcome_verdict",
        sa.Column("prediction_id", columns.Uuid(length=16), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("verdict_id", columns.Uuid(length=16), nullable=False),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdict.id"], name=op.f("fk_outcome_verdict_verdict_id")),
        sa.PrimaryKeyConstraint("prediction_id", "item", "revision", "verdict_id", name=op.f("pk_outcome_verdict")),
        info={"immutable": True},
    )
    for statement in trigger_statements(op.get_bind().dialect.name, IMMUTABLE):
        op.execute(statement)
