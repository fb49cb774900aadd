"""Indexes for truth that names a caller's request, and for the library of corrections.

Revision: 0002, after 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_prediction_request", "prediction", ["model_id", "request_id"])
    op.create_index("ix_outcome_newest", "outcome", ["created_us", "prediction_id", "item", "revision"])
