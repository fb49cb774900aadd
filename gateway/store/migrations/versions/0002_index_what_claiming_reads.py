"""Index what claiming reads: live claims, a person's verdicts, a person's verdict on a case.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LIVE = sa.text("ended_us IS NULL")


def upgrade() -> None:
    op.drop_index("ix_claim_person_id", "claim")
    op.drop_index("ix_claim_expiry", "claim")
    op.create_index("ix_claim_live_of", "claim", ["person_id"], sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_claim_expiry", "claim", ["expires_us"], sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_index("ix_verdict_case", "verdict")
    op.create_index("ix_verdict_case", "verdict", ["case_id", "round", "person_id"])
    op.create_index("ix_verdict_person", "verdict", ["person_id", "created_us"])
