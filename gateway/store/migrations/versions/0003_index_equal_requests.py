"""Index equal requests of a caller, so that a retry finds an answer that nobody was told.

Revision: 0003, after 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_prediction_equal", "prediction", ["api_key_id", "input_digest", "created_us"])
