"""How models are trained: recipes under their digest, and the rule of each model.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema import columns
from gateway.store.schema.immutable import trigger_statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recipe",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_recipe")),
        info={"immutable": True},
    )
    op.create_table(
        "training_rule",
        sa.Column("model_id", columns.Uuid(length=16), nullable=False),
        sa.Column("recipe", sa.String(length=64), nullable=True),
        sa.Column("after_corrections", sa.Integer(), nullable=True),
        sa.Column("recipe_required", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_training_rule_model_id")),
        sa.ForeignKeyConstraint(["recipe"], ["recipe.sha256"], name=op.f("fk_training_rule_recipe")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_training_rule")),
    )
    for statement in trigger_statements(op.get_bind().dialect.name, ["recipe"]):
        op.execute(statement)
