"""When fetched flags were known.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flag_current", sa.Column("known_us", sa.BigInteger(), nullable=True))
    op.add_column("flag_current", sa.Column("error", sa.Text(), nullable=True))
