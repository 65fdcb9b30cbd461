"""When a letter was last tried, and the order in which all letters are leafed through."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column and the index."""
    op.add_column("outbox", sa.Column("tried_at", sa.BigInteger))
    op.create_index("ix_outbox_at", "outbox", ["at"])
