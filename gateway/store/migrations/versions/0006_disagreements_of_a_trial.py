"""An index for the disagreements of a trial, which its figures are read from.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_case_disagreement",
        "case",
        ["rule"],
        sqlite_where=sa.text("kind = 'disagreement'"),
        postgresql_where=sa.text("kind = 'disagreement'"),
    )
