"""When modules last called their heartbeats."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "calls",
        sa.Column("module", sa.Text, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("module", "probe", name="pk_calls"),
        sqlite_with_rowid=False,
    )
