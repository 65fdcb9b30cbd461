"""Sums of whole days."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table; the running monitor fills it."""
    op.create_table(
        "days",
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("modules", sa.Text, nullable=False),
        sa.Column("up", sa.BigInteger, nullable=False),
        sa.Column("degraded", sa.BigInteger, nullable=False),
        sa.Column("down", sa.BigInteger, nullable=False),
        sa.Column("partly", sa.BigInteger, nullable=False),
        sa.Column("unknown", sa.BigInteger, nullable=False),
        sa.Column("move", sa.BigInteger),
        sa.PrimaryKeyConstraint("line", "until", name="pk_days"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_days_until", "days", ["until"])
    op.create_index("ix_transitions_since", "transitions", ["since"])
