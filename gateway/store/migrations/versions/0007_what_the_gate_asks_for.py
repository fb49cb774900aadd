"""What the gate asks for.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import columns
from gateway.store.schema.immutable import trigger_statements

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("declared_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_gate_model_id")),
        sa.PrimaryKeyConstraint("model_id", "revision", name=op.f("pk_gate")),
        info={"immutable": True},
    )
    for statement in trigger_statements(op.get_bind().dialect.name, ["gate"]):
        op.execute(statement)
