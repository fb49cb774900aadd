"""What the guard watches.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import columns
from gateway.store.schema.immutable import trigger_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guard",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("declared_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_guard_model_id")),
        sa.PrimaryKeyConstraint("model_id", "revision", name=op.f("pk_guard")),
        info={"immutable": True},
    )
    op.create_table(
        "guard_watch",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("release_id", columns.Uuid(length=16), nullable=False),
        sa.Column("guard_revision", sa.Integer(), nullable=False),
        sa.Column(
            "state", sa.Enum("watching", "passed", "breached", "ended", native_enum=False, length=24), nullable=False
        ),
        sa.Column("act", sa.Enum("advised", "paused", "rolled_back", native_enum=False, length=24), nullable=True),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("looked_us", sa.BigInteger(), nullable=True),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_guard_watch_model_id")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_guard_watch_release_id")),
        sa.PrimaryKeyConstraint("model_id", "revision", name=op.f("pk_guard_watch")),
    )
    op.create_index(
        "uq_guard_watch_one_open",
        "guard_watch",
        ["model_id"],
        unique=True,
        sqlite_where=sa.text("state = 'watching'"),
        postgresql_where=sa.text("state = 'watching'"),
    )
    for statement in trigger_statements(op.get_bind().dialect.name, ["guard"]):
        op.execute(statement)
