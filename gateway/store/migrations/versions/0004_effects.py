"""What each settled answer says about the champion and the candidate, for the running scores.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.schema.columns import Uuid

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "effect",
        sa.Column("prediction_id", Uuid(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("outcome_revision", sa.Integer(), nullable=False),
        sa.Column("model_id", Uuid(), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("settled_us", sa.BigInteger(), nullable=False),
        sa.Column("champion_id", Uuid(), nullable=False),
        sa.Column("champion_answer", sa.Text(), nullable=True),
        sa.Column("champion_right", sa.Boolean(), nullable=True),
        sa.Column("candidate_id", Uuid(), nullable=True),
        sa.Column("candidate_answer", sa.Text(), nullable=True),
        sa.Column("candidate_right", sa.Boolean(), nullable=True),
        sa.Column("measured_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["release.id"], name=op.f("fk_effect_candidate_id")),
        sa.ForeignKeyConstraint(["champion_id"], ["release.id"], name=op.f("fk_effect_champion_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_effect_model_id")),
        sa.ForeignKeyConstraint(
            ["prediction_id", "item", "outcome_revision"],
            ["outcome.prediction_id", "outcome.item", "outcome.revision"],
            name=op.f("fk_effect_prediction_id_item_outcome_revision"),
        ),
        sa.PrimaryKeyConstraint("prediction_id", "item", name=op.f("pk_effect")),
    )
    op.create_index(
        "ix_effect_since",
        "effect",
        [
            "model_id",
            "champion_id",
            "candidate_id",
            "settled_us",
            "corrected",
            "champion_right",
            "candidate_right",
        ],
    )
